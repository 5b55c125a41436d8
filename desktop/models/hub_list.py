"""The table of models on the hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.state.hub import HubRow
from desktop.style.columns import Column, ColumnModel
from desktop.style.i18n import tr
from desktop.style.theme import GRID, current_theme, number_font

ID, FAMILY, AP, SIZE, DOWNLOADS, LICENCE, STATE = range(7)


class HubList(QTableView):
    """One row a model.

    Signals:
        chosen(HubRow | None): The selected row.
        activated_row(HubRow): A double click or Return: download it.
    """

    chosen = pyqtSignal(object)
    activated_row = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._states: dict[str, str] = {}
        self._rows = ColumnModel(_columns(self._state))
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
        """The selected row."""
        selection = self.selectionModel()
        at = [] if selection is None else selection.selectedRows()
        return self._rows.rows[at[0].row()] if at else None

    @property
    def rows(self) -> Sequence[HubRow]:
        """The rows that are shown."""
        return self._rows.rows

    def show_rows(self, rows: tuple[HubRow, ...]) -> None:
        """Show these rows; columns without a value are hidden."""
        if rows == self._rows.rows:
            return
        self._rows.reset_rows(rows)
        self.setColumnHidden(AP, all(row.ap is None for row in rows))
        self.setColumnHidden(SIZE, not any(row.megabytes for row in rows))
        self.setColumnHidden(DOWNLOADS, all(row.downloads is None for row in rows))
        self.chosen.emit(None)

    def show_states(self, states: dict[str, str]) -> None:
        """Show the state of models that are downloaded: a word by id."""
        self._states = states
        self._rows.refresh(STATE)

    def _state(self, row: HubRow) -> str:
        return self._states.get(row.id, "")


def _columns(state: Callable[[HubRow], str]) -> tuple[Column[HubRow], ...]:
    right, font = Qt.AlignmentFlag.AlignRight, {Qt.ItemDataRole.FontRole: lambda row: number_font()}
    text = {Qt.ItemDataRole.ToolTipRole: _tip, Qt.ItemDataRole.ForegroundRole: _ink}
    muted = {**text, Qt.ItemDataRole.ForegroundRole: lambda row: QColor(current_theme().text_muted)}
    number = {**text, **font}
    return (
        Column(tr("Model"), lambda row: row.id, roles=text),
        Column(tr("Family"), lambda row: row.family, roles=muted),
        Column(tr("COCO AP"), lambda row: "" if row.ap is None else f"{row.ap:.1f}", right, number),
        Column(tr("MB"), lambda row: f"{row.megabytes:,}" if row.megabytes else "", right, number),
        Column(tr("Downloads"), lambda row: "" if row.downloads is None else f"{row.downloads:,}", right, number),
        Column(tr("Licence"), lambda row: row.licence, roles=muted),
        Column(tr("State"), state, roles=muted),
    )


def _tip(row: HubRow) -> str:
    return f"{row.id}\n{row.about}" if row.about else row.id


def _ink(row: HubRow) -> QColor | None:
    return None if row.is_usable else QColor(current_theme().text_muted)
