"""The table of models on the hub."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, Qt, pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.state.hub import HubRow
from desktop.style.i18n import tr
from desktop.style.theme import GRID, current_theme, number_font

ID, FAMILY, AP, SIZE, DOWNLOADS, LICENCE, STATE = range(7)
_NUMBERS = (AP, SIZE, DOWNLOADS)
_NOTHING = QModelIndex()


class HubList(QTableView):
    """One line a model.

    Signals:
        chosen(HubRow | None): The line that is selected.
        activated_row(HubRow): A double click or Return: download it.
    """

    chosen = pyqtSignal(object)
    activated_row = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _Rows()
        self.setObjectName("hubList")
        self.setAccessibleName(tr("Models on the hub"))
        self.setModel(self._rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        assert vertical is not None
        assert horizontal is not None
        vertical.hide()
        vertical.setDefaultSectionSize(4 * GRID)
        horizontal.setHighlightSections(False)
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        horizontal.setSectionResizeMode(ID, QHeaderView.ResizeMode.Stretch)
        self.activated.connect(lambda at: self.activated_row.emit(self._rows.rows[at.row()]))
        selection = self.selectionModel()
        assert selection is not None
        selection.selectionChanged.connect(lambda: self.chosen.emit(self.row))

    @property
    def row(self) -> HubRow | None:
        """The line that is selected."""
        selection = self.selectionModel()
        at = [] if selection is None else selection.selectedRows()
        return self._rows.rows[at[0].row()] if at else None

    @property
    def rows(self) -> tuple[HubRow, ...]:
        """What is shown."""
        return self._rows.rows

    def show_rows(self, rows: tuple[HubRow, ...]) -> None:
        """Show these; columns of which nothing is known are left out."""
        if rows == self._rows.rows:
            return
        self._rows.show_rows(rows)
        self.setColumnHidden(AP, all(row.ap is None for row in rows))
        self.setColumnHidden(SIZE, not any(row.megabytes for row in rows))
        self.setColumnHidden(DOWNLOADS, all(row.downloads is None for row in rows))
        self.chosen.emit(None)

    def show_places(self, places: dict[str, str]) -> None:
        """What becomes of the models that are here or are coming: a word, by id."""
        self._rows.show_places(places)


class _Rows(QAbstractTableModel):
    """The models as Qt sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[HubRow, ...] = ()
        self._places: dict[str, str] = {}

    def show_rows(self, rows: tuple[HubRow, ...]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def show_places(self, places: dict[str, str]) -> None:
        self._places = places
        if self.rows:
            self.dataChanged.emit(self.index(0, STATE), self.index(len(self.rows) - 1, STATE))

    def rowCount(self, parent: QModelIndex = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = _NOTHING) -> int:
        return 0 if parent.isValid() else 7

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            numbers = tr("COCO AP"), tr("MB"), tr("Downloads")
            return (tr("Model"), tr("Family"), *numbers, tr("Licence"), tr("State"))[section]
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[at.row()], at.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(row, column)
            case Qt.ItemDataRole.ToolTipRole:
                return f"{row.id}\n{row.about}" if row.about else row.id
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.FontRole if column in _NUMBERS:
                return number_font()
            case Qt.ItemDataRole.ForegroundRole if not row.is_usable or column in (FAMILY, LICENCE, STATE):
                return QColor(current_theme().text_muted)
        return None

    def _text(self, row: HubRow, column: int) -> str:
        return (
            row.id,
            row.family,
            "" if row.ap is None else f"{row.ap:.1f}",
            f"{row.megabytes:,}" if row.megabytes else "",
            "" if row.downloads is None else f"{row.downloads:,}",
            row.licence,
            self._places.get(row.id, ""),
        )[column]


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
