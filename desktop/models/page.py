"""This computer's page of the models dialog: the list of models, and the card of the selected one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from desktop.models.card import ModelCard
from desktop.models.list import ModelList
from desktop.state.model import ModelRow, ModelView, Presence
from desktop.style.i18n import tr
from desktop.style.parts import push_button
from desktop.style.theme import GRID

_LIST_WIDTH, _CARD_WIDTH = 52 * GRID, 72 * GRID


class ModelPage(QWidget):
    """Lists the models and shows the selected one.

    Attributes:
        list: The table of models.
        card: The card of the selected model.

    Signals:
        path_given(Path): A folder or file was chosen.
        removal_asked(ModelView): The button, for the selected model.
    """

    path_given = pyqtSignal(object)
    removal_asked = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelPage")
        self.list, self.card = ModelList(), ModelCard()
        self._view: ModelView | None = None
        self._awaited = ""
        self._add_folder = _button("modelAddFolder", tr("Add a folder…"), self._ask_folder)
        self._add_file = _button("modelAddFile", tr("Add an ONNX file…"), self._ask_file)
        self._rename = _button("modelRename", tr("Rename"), self.list.edit_name)
        self._remove = _button("modelRemove", tr("Remove…"), self._ask_removal)
        self.list.chosen.connect(self._on_chosen)
        self.list.removal_asked.connect(self._ask_removal)
        self._lay_out()
        order = self.list, self._rename, self._remove, self._add_folder, self._add_file, self.card
        for before, behind in pairwise(order):
            QWidget.setTabOrder(before, behind)
        self._on_chosen(None)

    def show_rows(self, rows: tuple[ModelRow, ...], in_use: str) -> None:
        """Show the list; the model in use is selected until the user selects another one."""
        self.list.show_rows(rows)
        if self._awaited in [row.name for row in rows]:
            self.list.select(self._awaited)
            self._awaited = ""
        elif self.list.row is None:
            self.list.select(in_use)
        self._on_chosen(self.list.row)

    def select_when_listed(self, name: str) -> None:
        """Select a model as soon as it is in the list."""
        self._awaited = name

    def show_view(self, view: ModelView) -> None:
        """Show the card of the selected model."""
        if self.list.row is not None and self.list.row.name == view.row.name:
            self._view = view
            self.card.show_view(view)

    def _on_chosen(self, row: ModelRow | None) -> None:
        can_change = row is not None and not row.is_starter and row.presence is not Presence.DOWNLOADING
        self._rename.setEnabled(can_change)
        self._remove.setEnabled(can_change)
        if row is None or (self._view is not None and self._view.row.name != row.name):
            self._view = None
            self.card.show_view(None)

    def _ask_removal(self) -> None:
        if self._view is not None and self._remove.isEnabled():
            self.removal_asked.emit(self._view)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Choose a model folder"))
        if folder:
            self.path_given.emit(Path(folder))

    def _ask_file(self) -> None:
        kinds = f"{tr('ONNX files')} (*.onnx *.ONNX)"
        name, _ = QFileDialog.getOpenFileName(self, tr("Choose an ONNX file"), "", kinds)
        if name:
            self.path_given.emit(Path(name))

    def _lay_out(self) -> None:
        adding, changing = QHBoxLayout(), QHBoxLayout()
        for row, buttons in ((adding, (self._add_folder, self._add_file)), (changing, (self._rename, self._remove))):
            row.setSpacing(GRID)
            for button in buttons:
                row.addWidget(button, 1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addWidget(self.list, 1)
        column.addLayout(changing)
        column.addLayout(adding)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.setObjectName("modelParts")
        parts.setChildrenCollapsible(False)
        parts.addWidget(left)
        parts.addWidget(self.card)
        parts.setSizes([_LIST_WIDTH, _CARD_WIDTH])
        parts.setStretchFactor(1, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(parts)


def _button(name: str, text: str, do: Callable[[], object]) -> QPushButton:
    button = push_button(name, text)
    button.clicked.connect(lambda _checked: do())
    return button
