"""The models dialog: a page for this computer, a page for the hub."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PyQt5.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from desktop.models.drop import dropped_models
from desktop.models.hub_page import HubPage
from desktop.models.page import ModelPage
from desktop.state.model import ModelRow
from desktop.style.i18n import tr
from desktop.style.theme import GRID

_WIDTH, _HEIGHT = 124 * GRID, 80 * GRID


class ModelDialog(QDialog):
    """Not modal.

    Attributes:
        models: The page of the models of this computer.
        hub: The page of the hub.

    Signals:
        visible(bool): The dialog was shown or hidden.
        path_given(Path): A folder or file was dropped.
    """

    visible = pyqtSignal(bool)
    path_given = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelDialog")
        self.setWindowTitle(tr("Models"))
        self.setAccessibleName(tr("Models"))
        self.setAcceptDrops(True)
        self.models, self.hub = ModelPage(), HubPage()
        self._tabs = QTabWidget()
        self._tabs.setObjectName("modelTabs")
        self._tabs.setDocumentMode(True)
        self._tabs.addTab(self.models, tr("On this computer"))
        self._tabs.addTab(self.hub, tr("On the hub"))
        self._told = QLabel()
        self._told.setObjectName("modelTold")
        self._told.setWordWrap(True)
        self._told.setProperty("danger", True)
        self._lay_out()
        self.resize(_WIDTH, _HEIGHT)

    def show_rows(self, rows: tuple[ModelRow, ...], in_use: str) -> None:
        """Show the models."""
        self.models.show_rows(rows, in_use)
        self.hub.show_models(rows)

    def tell(self, text: str) -> None:
        """Show why something could not be done; an empty text hides it."""
        self._told.setText(text)

    def show_hub(self) -> None:
        """Switch to the hub's page."""
        self._tabs.setCurrentWidget(self.hub)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_models(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        for path in dropped_models(event.mimeData()):
            self.path_given.emit(path)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.visible.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.models.card.defaults.report_changes()
        self.visible.emit(False)

    def _lay_out(self) -> None:
        close = QPushButton(tr("Close"))
        close.setObjectName("modelClose")
        close.setAccessibleName(tr("Close"))
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(2 * GRID, 0, 2 * GRID, 2 * GRID)
        bottom.setSpacing(2 * GRID)
        bottom.addWidget(self._told, 1)
        bottom.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._tabs, 1)
        column.addLayout(bottom)
