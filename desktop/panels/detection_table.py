"""The table of detections: colour, label, score, box; tied to the boxes on the canvas."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSignalBlocker,
    QSize,
    Qt,
    pyqtSignal,
)
from PyQt5.QtGui import QColor, QFont, QIcon, QPainter, QPixmap
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.i18n import tr
from desktop.theme import GRID, number_font
from engine.detect.detection import Detections
from engine.palette import label_colour

LABEL, SCORE, BOX = range(3)
NOTHING = QModelIndex()
SWATCH = 12


class DetectionTable(QTableView):
    """One row a detection, best score first.

    Signals:
        rows_selected(frozenset[int]): The `Detection.index` of the selected rows.
        row_entered(int): The row that was activated, by its `Detection.index`.
    """

    rows_selected = pyqtSignal(object)
    row_entered = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _DetectionRows()
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
        self.activated.connect(lambda at: self.row_entered.emit(self._rows.index_of(at.row())))

    def show_detections(self, detections: Detections | None) -> None:
        """Show these rows; nothing is selected afterwards."""
        with QSignalBlocker(self._selection()):
            self._rows.show_detections(detections)

    def select(self, indices: frozenset[int]) -> None:
        """Select the rows of these detections and scroll to the first."""
        selection = QItemSelection()
        rows = self._rows.rows_of(indices)
        for row in rows:
            at = self._rows.index(row, LABEL)
            selection.select(at, at)
        flags = QItemSelectionModel.SelectionFlag
        with QSignalBlocker(self._selection()):
            self._selection().select(selection, flags.ClearAndSelect | flags.Rows)
        if rows:
            self.scrollTo(self._rows.index(rows[0], LABEL))
        viewport = self.viewport()
        assert viewport is not None
        viewport.update()

    def _on_selected(self) -> None:
        rows = {at.row() for at in self._selection().selectedRows()}
        self.rows_selected.emit(frozenset(self._rows.index_of(row) for row in rows))

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
        digits = self.fontMetrics().horizontalAdvance("0")
        self.setColumnWidth(SCORE, 8 * digits)
        self.setColumnWidth(BOX, 22 * digits)
        self.setMinimumWidth(44 * digits)


class _DetectionRows(QAbstractTableModel):
    def __init__(self) -> None:
        super().__init__()
        self._detections: Detections | None = None
        self._swatches: dict[str, QIcon] = {}
        self._number_font: QFont = number_font()

    def show_detections(self, detections: Detections | None) -> None:
        self.beginResetModel()
        self._detections = detections
        self.endResetModel()

    def index_of(self, row: int) -> int:
        assert self._detections is not None
        return int(self._detections.indices[row])

    def rows_of(self, indices: frozenset[int]) -> list[int]:
        if self._detections is None:
            return []
        return [row for row, index in enumerate(self._detections.indices.tolist()) if index in indices]

    def rowCount(self, parent: QModelIndex = NOTHING) -> int:
        return 0 if parent.isValid() or self._detections is None else len(self._detections)

    def columnCount(self, parent: QModelIndex = NOTHING) -> int:
        return 0 if parent.isValid() else 3

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("Label"), tr("Score"), tr("x, y, width, height"))[section]
        return None

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self._detections is None or not at.isValid():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(at.column())
        if role == Qt.ItemDataRole.FontRole and at.column() != LABEL:
            return self._number_font
        detection = self._detections[at.row()]
        if role == Qt.ItemDataRole.DecorationRole and at.column() == LABEL:
            return self._swatch(detection.label)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if at.column() == LABEL:
            return detection.label
        if at.column() == SCORE:
            return f"{detection.score:.2f}"
        xmin, ymin, xmax, ymax = detection.box
        return f"{xmin:.0f}, {ymin:.0f}, {xmax - xmin:.0f}, {ymax - ymin:.0f}"

    def _swatch(self, label: str) -> QIcon:
        if label not in self._swatches:
            self._swatches[label] = _round_swatch(QColor(*label_colour(label)))
        return self._swatches[label]


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignLeft if column == LABEL else Qt.AlignmentFlag.AlignRight
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def _round_swatch(colour: QColor) -> QIcon:
    """A square in the class's colour, the same in a selected row: Qt would tint it."""
    pixmap = QPixmap(2 * SWATCH, 2 * SWATCH)
    pixmap.setDevicePixelRatio(2.0)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(1, 1, SWATCH - 2, SWATCH - 2, 3, 3)
    painter.end()
    swatch = QIcon(pixmap)
    swatch.addPixmap(pixmap, QIcon.Mode.Selected)
    return swatch
