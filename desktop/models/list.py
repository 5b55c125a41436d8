"""The list of models: name, what becomes of it, size; names are changed in place."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QAbstractTableModel, QEvent, QItemSelectionModel, QModelIndex, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QKeyEvent
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.state.model import ModelRow, Presence
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.theme import GRID, current_theme, number_font

NAME, STATE, SIZE = range(3)
_NOTHING = QModelIndex()
_ROW_HEIGHT = 4 * GRID


class ModelList(QTableView):
    """One line a model.

    Signals:
        chosen(ModelRow | None): The line that is selected.
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
        self._rows = _Rows()
        self._rows.rename_asked.connect(self.rename_asked)
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
        """The line that is selected."""
        selection = self.selectionModel()
        at = [] if selection is None else selection.selectedRows()
        return self._rows.rows[at[0].row()] if at else None

    def show_rows(self, rows: tuple[ModelRow, ...]) -> None:
        """Show these lines; the same model stays selected."""
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
        """With Ctrl, too, the row that is gone to is the one that is selected."""
        flags = QItemSelectionModel.SelectionFlag
        is_key = isinstance(event, QKeyEvent) and at.isValid()
        return flags.ClearAndSelect | flags.Rows if is_key else super().selectionCommand(at, event)

    def selectAll(self) -> None:
        """One is shown at a time."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F2 edits the name, whichever column is current; Delete takes the model out of the list."""
        if event.key() == Qt.Key.Key_F2:
            self.edit_name()
        elif event.key() == Qt.Key.Key_Delete:
            self.removal_asked.emit()
        else:
            super().keyPressEvent(event)

    def _activate(self, at: QModelIndex) -> None:
        self.activated_name.emit(self._rows.rows[at.row()].name)

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


class _Rows(QAbstractTableModel):
    """The models as Qt sees them."""

    rename_asked = pyqtSignal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[ModelRow, ...] = ()

    def show_rows(self, rows: tuple[ModelRow, ...]) -> None:
        if [row.name for row in rows] == [row.name for row in self.rows]:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, SIZE))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = _NOTHING) -> int:
        return 0 if parent.isValid() else 3

    def flags(self, at: QModelIndex) -> Qt.ItemFlags:
        row = self.rows[at.row()]
        is_fixed = row.is_starter or row.presence is Presence.DOWNLOADING or at.column() != NAME
        flags = super().flags(at)
        return flags if is_fixed else flags | Qt.ItemFlag.ItemIsEditable

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("Name"), tr("State"), tr("MB"))[section]
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[at.row()], at.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return (row.name, presence_text(row), f"{row.size / 1e6:,.1f}" if row.size else "")[column]
            case Qt.ItemDataRole.EditRole:
                return row.name
            case Qt.ItemDataRole.ToolTipRole:
                return row.problem or (row.name if row.is_starter else f"{row.name}\n{row.place}")
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.FontRole if column == SIZE:
                return number_font()
            case Qt.ItemDataRole.ForegroundRole if column != NAME:
                broken = row.presence is Presence.BROKEN and column == STATE
                return QColor(current_theme().danger if broken else current_theme().text_muted)
            case Qt.ItemDataRole.DecorationRole if column == NAME:
                return icon("check", "link") if row.presence is Presence.IN_USE else _blank()
        return None

    def setData(self, at: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """The name changes when the catalog has it."""
        name, new = self.rows[at.row()].name, str(value)
        if role == Qt.ItemDataRole.EditRole and new != name:
            self.rename_asked.emit(name, new)
        return False


def presence_text(row: ModelRow) -> str:
    """What becomes of a model, in a word or two."""
    return {
        Presence.IN_USE: tr("in use"),
        Presence.IN_MEMORY: tr("in memory"),
        Presence.HERE: "",
        Presence.NOT_HERE: tr("not downloaded"),
        Presence.BROKEN: tr("broken"),
        Presence.DOWNLOADING: tr("downloading, {percent} %", percent=row.percent),
    }[row.presence]


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if column == SIZE else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def _blank() -> QColor:
    """Names stand under each other, whether there is a mark before them or not."""
    return QColor(Qt.GlobalColor.transparent)
