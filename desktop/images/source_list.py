"""The list view of the images."""

from __future__ import annotations

from PyQt5.QtCore import QItemSelectionModel, QModelIndex, QSignalBlocker, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QListView, QWidget

from desktop.images.source_delegate import ROW_HEIGHT, SourceDelegate
from desktop.images.source_rows import SourceRows
from desktop.style.i18n import tr

_SETTLE_MS = 40
"""Scrolling asks for thumbnails once it has come to rest for this long."""


class SourceList(QListView):
    """Shows the rows of a `SourceRows`.

    Signals:
        row_chosen(int): The user chose a row.
        rows_seen(range): The visible rows and the page after them.
    """

    row_chosen = pyqtSignal(int)
    rows_seen = pyqtSignal(object)

    def __init__(self, rows: SourceRows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sourceList")
        self.setAccessibleName(tr("Images"))
        rows.setParent(self)
        self.setModel(rows)
        self.setItemDelegate(SourceDelegate(rows, self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setMouseTracking(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._report_rows)
        for changed in (rows.rowsInserted, rows.rowsRemoved):
            changed.connect(self._look_later)
        self.verticalScrollBar().valueChanged.connect(self._look_later)
        self.selectionModel().currentChanged.connect(self._on_current)

    def keyboardSearch(self, search: str) -> None:
        """Do nothing: letters are keys of actions."""

    def choose(self, row: int | None) -> None:
        """Select the shown image's row, without a signal."""
        selection = self.selectionModel()
        with QSignalBlocker(selection):
            if row is None:
                selection.clear()
                return
            at = self.model().index(row, 0)
            if not (selection.isSelected(at) and selection.currentIndex() == at):
                selection.setCurrentIndex(at, QItemSelectionModel.SelectionFlag.ClearAndSelect)
                self.scrollTo(at)

    @property
    def selected_places(self) -> list[int]:
        """The selected rows, ascending; the shown one is among them."""
        return sorted(at.row() for at in self.selectionModel().selectedIndexes())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More rows may be visible now."""
        super().resizeEvent(event)
        self._look_later()

    def _on_current(self, current: QModelIndex, former: QModelIndex) -> None:
        self.row_chosen.emit(current.row())

    def _look_later(self) -> None:
        self._settle.start()

    def _report_rows(self) -> None:
        height, first = self.viewport().height(), self.verticalScrollBar().value() // ROW_HEIGHT
        page = height // ROW_HEIGHT + 2
        self.rows_seen.emit(range(first, min(first + 2 * page, self.model().rowCount())))
