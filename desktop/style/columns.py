"""A table model of which each column is described by a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, pyqtSignal

RowT = TypeVar("RowT")
_NO_PARENT = QModelIndex()


@dataclass(frozen=True, eq=False)
class Column(Generic[RowT]):
    """A column of a table.

    Attributes:
        title: The header's text.
        text: Returns a cell's text.
        align: The horizontal alignment of header and cells.
        roles: Returns a cell's value for other roles, by `Qt.ItemDataRole`.
        header_roles: The header's value for other roles, by `Qt.ItemDataRole`.
        flags: Returns a cell's flags beside `ItemIsEnabled` and `ItemIsSelectable`, e.g. `ItemIsEditable`.
    """

    title: str
    text: Callable[[RowT], str]
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft
    roles: Mapping[Any, Callable[[RowT], Any]] = field(default_factory=dict)
    header_roles: Mapping[Any, Any] = field(default_factory=dict)
    flags: Callable[[RowT], Qt.ItemFlags | Qt.ItemFlag] = lambda row: Qt.ItemFlag.NoItemFlags


class ColumnModel(QAbstractTableModel, Generic[RowT]):
    """Rows of any type, shown by columns.

    Attributes:
        rows: What is shown, from top to bottom.
        columns: The columns, from left to right.

    Signals:
        edited(object, int, object): A cell was edited or its box clicked: the row, the column's index, the new value.
            The model stays as it is until other rows are shown.
    """

    edited = pyqtSignal(object, int, object)

    def __init__(
        self, columns: Sequence[Column[RowT]], key: Callable[[RowT], object] = id, parent: QObject | None = None
    ) -> None:
        """Show no rows yet.

        Args:
            columns: The columns, from left to right.
            key: Rows whose keys are equal are the same row to `show_rows`.
            parent: Qt's.
        """
        super().__init__(parent)
        self.columns = tuple(columns)
        self.rows: Sequence[RowT] = ()
        self._key = key

    def show_rows(self, rows: Sequence[RowT]) -> None:
        """Show these rows; what is selected stays selected where rows were only changed, or added at the top."""
        keys, former = [self._key(row) for row in rows], [self._key(row) for row in self.rows]
        more = keys.index(former[0]) if former and former[0] in keys else len(keys)
        staying = len(keys) - more
        if not staying or keys[more:] != former[:staying]:
            self.reset_rows(rows)
            return
        if staying < len(former):
            self.beginRemoveRows(_NO_PARENT, staying, len(former) - 1)
            self.rows = self.rows[:staying]
            self.endRemoveRows()
        if more:
            self.beginInsertRows(_NO_PARENT, 0, more - 1)
            self.rows = rows
            self.endInsertRows()
        self.rows = rows
        self.dataChanged.emit(self.index(more, 0), self.index(len(rows) - 1, len(self.columns) - 1))

    def reset_rows(self, rows: Sequence[RowT]) -> None:
        """Show other rows; nothing is selected afterwards."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def refresh(self, column: int | None = None) -> None:
        """Paint all rows again, in one column or in all."""
        if self.rows:
            first, last = (0, len(self.columns) - 1) if column is None else (column, column)
            self.dataChanged.emit(self.index(0, first), self.index(len(self.rows) - 1, last))

    def rowCount(self, parent: QModelIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(column.align | Qt.AlignmentFlag.AlignVCenter)
        return column.header_roles.get(role)

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not at.isValid():
            return None
        column = self.columns[at.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(column.align | Qt.AlignmentFlag.AlignVCenter)
        value = column.text if role == Qt.ItemDataRole.DisplayRole else column.roles.get(role)
        return None if value is None else value(self.rows[at.row()])

    def flags(self, at: QModelIndex) -> Qt.ItemFlags:
        flags = super().flags(at)
        return flags | self.columns[at.column()].flags(self.rows[at.row()]) if at.isValid() else flags

    def setData(self, at: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role not in (Qt.ItemDataRole.EditRole, Qt.ItemDataRole.CheckStateRole):
            return False
        self.edited.emit(self.rows[at.row()], at.column(), value)
        return True
