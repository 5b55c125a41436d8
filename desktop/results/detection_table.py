"""The table of detections, with the same selection as the canvas."""

from __future__ import annotations

from PyQt5.QtCore import QItemSelection, QItemSelectionModel, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.results.detection_columns import BOX, LABEL, SCORE, STATUS, detection_columns, detection_rows
from desktop.style.columns import ColumnModel
from desktop.style.i18n import tr
from desktop.style.swatch import SWATCH
from desktop.style.theme import GRID
from engine.review.merge import Reviewed


class DetectionTable(QTableView):
    """One row a detection, best score first.

    Signals:
        rows_selected(frozenset[int]): The `Detection.index` of the selected rows.
        row_entered(int): The `Detection.index` of a row that was activated.
    """

    rows_selected = pyqtSignal(object)
    row_entered = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = ColumnModel(detection_columns(), parent=self)
        self.setObjectName("detectionTable")
        self.setAccessibleName(tr("Detections"))
        self.setModel(self._rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(SWATCH, SWATCH))
        self._size_columns()
        self._selection().selectionChanged.connect(self._on_selected)
        self.activated.connect(lambda at: self.row_entered.emit(self._index_of(at.row())))

    def show_reviewed(self, reviewed: Reviewed | None) -> None:
        """Show these detections; none is selected afterwards."""
        with QSignalBlocker(self._selection()):
            self._rows.reset_rows(detection_rows(reviewed))
        self.executeDelayedItemsLayout()  # now, or the table would be painted twice

    def select(self, indices: frozenset[int]) -> None:
        """Select detections by index and scroll to the first."""
        selection = QItemSelection()
        rows = [at for at, row in enumerate(self._rows.rows) if row.detection.index in indices] if indices else []
        for first, last in _runs(rows):
            selection.select(self._rows.index(first, LABEL), self._rows.index(last, LABEL))
        flags = QItemSelectionModel.SelectionFlag
        with QSignalBlocker(self._selection()):
            self._selection().select(selection, flags.ClearAndSelect | flags.Rows)
            if rows and self.currentIndex().row() not in rows:
                self._selection().setCurrentIndex(self._rows.index(rows[0], LABEL), flags.NoUpdate)
        if rows:
            self.scrollTo(self.currentIndex())
        viewport = self.viewport()
        assert viewport is not None
        viewport.update()

    def _index_of(self, row: int) -> int:
        return self._rows.rows[row].detection.index

    def _on_selected(self) -> None:
        rows = {at.row() for at in self._selection().selectedRows()}
        self.rows_selected.emit(frozenset(self._index_of(row) for row in rows))

    def _selection(self) -> QItemSelectionModel:
        selection = self.selectionModel()
        assert selection is not None
        return selection

    def _size_columns(self) -> None:
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        assert vertical is not None
        assert horizontal is not None
        vertical.hide()
        vertical.setDefaultSectionSize(3 * GRID + 4)
        horizontal.setHighlightSections(False)
        horizontal.setMinimumSectionSize(4 * GRID)
        horizontal.setSectionResizeMode(LABEL, QHeaderView.ResizeMode.Stretch)
        horizontal.setSectionResizeMode(SCORE, QHeaderView.ResizeMode.Fixed)
        horizontal.setSectionResizeMode(BOX, QHeaderView.ResizeMode.Fixed)
        horizontal.setSectionResizeMode(STATUS, QHeaderView.ResizeMode.Fixed)
        horizontal.moveSection(STATUS, 0)
        digits = self.fontMetrics().horizontalAdvance("0")
        self.setColumnWidth(SCORE, max(6 * digits, horizontal.sectionSizeHint(SCORE)))
        self.setColumnWidth(BOX, max(19 * digits, horizontal.sectionSizeHint(BOX)))
        self.setColumnWidth(STATUS, 4 * GRID)
        self.setMinimumWidth(44 * digits)


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """Return the first and last of consecutive rows: Qt selects a few ranges faster than many rows."""
    starts = [row for at, row in enumerate(rows) if not at or rows[at - 1] != row - 1]
    ends = [row for at, row in enumerate(rows) if at + 1 == len(rows) or rows[at + 1] != row + 1]
    return list(zip(starts, ends, strict=True))
