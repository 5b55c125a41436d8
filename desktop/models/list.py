"""The table of models: name, state, size; names are edited in place."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QItemSelectionModel, QModelIndex, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon, QKeyEvent
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.state.model import ModelRow, Presence
from desktop.style.columns import Column, ColumnModel
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.theme import GRID, current_theme, number_font

NAME, STATE, SIZE = range(3)
_ROW_HEIGHT = 4 * GRID


class ModelList(QTableView):
    """One row a model.

    Signals:
        chosen(ModelRow | None): The selected row.
        activated_name(str): A double click or Return: use this model.
        rename_asked(str, str): A name, and what was typed in its place.
        removal_asked: The Delete key.
    """

    chosen = pyqtSignal(object)
    activated_name = pyqtSignal(str)
    rename_asked = pyqtSignal(str, str)
    removal_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: ColumnModel[ModelRow] = ColumnModel(_columns(), key=lambda row: row.name)
        self._rows.edited.connect(self._on_edited)
        self._told: ModelRow | None = None
        self.setObjectName("modelList")
        self.setAccessibleName(tr("Models"))
        self.setModel(self._rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self._size_columns()
        self.activated.connect(self._activate)
        selection = self.selectionModel()
        assert selection is not None
        selection.selectionChanged.connect(self._on_selected)

    @property
    def row(self) -> ModelRow | None:
        """The selected row."""
        selection = self.selectionModel()
        at = [] if selection is None else selection.selectedRows()
        return self._rows.rows[at[0].row()] if at else None

    def show_rows(self, rows: tuple[ModelRow, ...]) -> None:
        """Show these rows; the same model stays selected."""
        selected = self.row
        if self.state() == QAbstractItemView.State.EditingState:
            self.closePersistentEditor(self.currentIndex())
        self._rows.show_rows(rows)
        if selected is not None:
            self.select(selected.name)

    def select(self, name: str) -> None:
        """Select a model, if it is in the list."""
        place = next((at for at, row in enumerate(self._rows.rows) if row.name == name), None)
        if place is not None and (self.row is None or self.row.name != name):
            self.selectRow(place)

    def edit_name(self) -> None:
        """Let the user type another name for the selected model."""
        at = self._rows.index(self.currentIndex().row(), NAME)
        if self.row is not None and self._rows.flags(at) & Qt.ItemFlag.ItemIsEditable:
            self.setFocus()
            self.edit(at)

    def selectionCommand(self, at: QModelIndex, event: QEvent | None = None) -> QItemSelectionModel.SelectionFlags:
        """Select the current row, with Ctrl too."""
        flags = QItemSelectionModel.SelectionFlag
        is_key = isinstance(event, QKeyEvent) and at.isValid()
        return flags.ClearAndSelect | flags.Rows if is_key else super().selectionCommand(at, event)

    def selectAll(self) -> None:
        """Do nothing: one row is selected at a time."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Edit the name on F2, whichever column is current; ask for removal on Delete."""
        if event.key() == Qt.Key.Key_F2:
            self.edit_name()
        elif event.key() == Qt.Key.Key_Delete:
            self.removal_asked.emit()
        else:
            super().keyPressEvent(event)

    def _activate(self, at: QModelIndex) -> None:
        self.activated_name.emit(self._rows.rows[at.row()].name)

    def _on_edited(self, row: ModelRow, column: int, name: str) -> None:
        if name != row.name:
            self.rename_asked.emit(row.name, name)

    def _on_selected(self) -> None:
        if self.row != self._told:
            self._told = self.row
            self.chosen.emit(self.row)

    def _size_columns(self) -> None:
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        assert vertical is not None
        assert horizontal is not None
        vertical.hide()
        vertical.setDefaultSectionSize(_ROW_HEIGHT)
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        horizontal.setHighlightSections(False)
        horizontal.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        horizontal.setSectionResizeMode(STATE, QHeaderView.ResizeMode.ResizeToContents)
        horizontal.setSectionResizeMode(SIZE, QHeaderView.ResizeMode.ResizeToContents)


def presence_text(row: ModelRow) -> str:
    """Return a model's state in a word or two."""
    return {
        Presence.IN_USE: tr("in use"),
        Presence.IN_MEMORY: tr("in memory"),
        Presence.HERE: "",
        Presence.NOT_HERE: tr("not downloaded"),
        Presence.BROKEN: tr("broken"),
        Presence.DOWNLOADING: tr("downloading, {percent} %", percent=row.percent),
    }[row.presence]


def _columns() -> tuple[Column[ModelRow], ...]:
    tip, muted = {Qt.ItemDataRole.ToolTipRole: _tip}, {Qt.ItemDataRole.ForegroundRole: _ink}
    name = {Qt.ItemDataRole.EditRole: lambda row: row.name, Qt.ItemDataRole.DecorationRole: _mark}
    number = {Qt.ItemDataRole.FontRole: lambda row: number_font(), Qt.ItemDataRole.ForegroundRole: _muted}
    return (
        Column(tr("Name"), lambda row: row.name, roles={**tip, **name}, flags=_name_flags),
        Column(tr("State"), presence_text, roles={**tip, **muted}),
        Column(tr("MB"), _size, Qt.AlignmentFlag.AlignRight, roles={**tip, **number}),
    )


def _size(row: ModelRow) -> str:
    return f"{row.size / 1e6:,.1f}" if row.size else ""


def _tip(row: ModelRow) -> str:
    return row.problem or (row.name if row.is_starter else f"{row.name}\n{row.place}")


def _ink(row: ModelRow) -> QColor:
    return QColor(current_theme().danger) if row.presence is Presence.BROKEN else _muted(row)


def _muted(row: ModelRow) -> QColor:
    return QColor(current_theme().text_muted)


def _mark(row: ModelRow) -> QIcon | QColor:
    """Return the check mark of the model in use, else an empty icon, so that all names are aligned."""
    return icon("check", "link") if row.presence is Presence.IN_USE else QColor(Qt.GlobalColor.transparent)


def _name_flags(row: ModelRow) -> Qt.ItemFlag:
    is_fixed = row.is_starter or row.presence is Presence.DOWNLOADING
    return Qt.ItemFlag.NoItemFlags if is_fixed else Qt.ItemFlag.ItemIsEditable
