"""The first tab on the right: which detections are shown, and the table of them."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QSplitter, QStackedLayout, QVBoxLayout, QWidget

from desktop.results.class_list import ClassList
from desktop.results.detection_table import DetectionTable
from desktop.results.empty_page import EmptyPage
from desktop.results.histogram import ScoreHistogram
from desktop.results.refine_row import RefineRow
from desktop.results.tiling_row import TilingRow
from desktop.state.viewer import ViewerState
from desktop.style.parts import SteadyHint
from desktop.style.shown_words import summary
from desktop.style.theme import GRID

CLASSES_HEIGHT, TABLE_HEIGHT = 22 * GRID, 30 * GRID


class DetectionsPanel(QWidget):
    """Histogram, suppression, tiles, classes and table, and below them a bar that belongs to another room.

    Signals:
        threshold_chosen(float): The line in the histogram was moved, 0..1.
    """

    threshold_chosen = pyqtSignal(float)

    def __init__(self, bar: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ViewerState()
        self._shown_parts: tuple[object, ...] = ()
        self._selected: frozenset[int] = frozenset()
        self.histogram = ScoreHistogram()
        self.refine = RefineRow()
        self.tiling = TilingRow()
        self.classes = ClassList()
        self.table = DetectionTable()
        self._bar = bar
        self.empty_page = EmptyPage()
        self._summary = SteadyHint()
        self._lay_out()
        self._wire()

    def show_state(self, state: ViewerState) -> None:
        """Show the detections that pass, the selected ones, and the decisions."""
        self._state = state
        self._show_choosing(state)
        reviewed = state.reviewed
        parts = (state.image, state.detections, state.decided, state.chosen, state.refinement)
        former, self._shown_parts = self._shown_parts, parts
        changed = not former or any(new is not old for new, old in zip(parts, former, strict=True))
        if changed:
            self.table.show_reviewed(reviewed)
        if changed or state.selected != self._selected:
            self._selected = state.selected
            self.table.select(state.selected)
        empty = reviewed is None or not len(reviewed.shown)
        self._stack.setCurrentIndex(int(empty))
        self._summary.setVisible(not empty)
        if empty:
            self.empty_page.show_state(state)
        elif changed:
            self._summary.set_text(summary(state))

    def _show_choosing(self, state: ViewerState) -> None:
        """Show the controls that choose, once there is something to choose from."""
        is_known = state.detections is not None or len(state.scores.scores) > 0
        for part in (self.histogram, self.refine, self.classes):
            part.setVisible(is_known)
        self._bar.setVisible(state.image is not None)
        self.tiling.setVisible(is_known or state.image is not None)
        self.tiling.show_state(state)
        self.classes.show_state(state)
        self.refine.show_state(state)
        self._show_histogram()

    def _show_histogram(self, _selected: object = None) -> None:
        solo = self._state.refinement.solo
        self.histogram.show_scores(self._state, solo if solo is not None else self.classes.selected)

    def _move_threshold(self, threshold: float) -> None:
        """Move the threshold that the line in the histogram stands for: the general one, or that of the class."""
        label = self.histogram.label
        if label is not None and label in self._state.refinement.class_thresholds:
            self.classes.set_threshold(label, threshold)
        else:
            self.threshold_chosen.emit(threshold)

    def _wire(self) -> None:
        self.histogram.threshold_chosen.connect(self._move_threshold)
        self.empty_page.all_classes_asked.connect(self.classes.show_all)
        self.classes.class_selected.connect(self._show_histogram)

    def _lay_out(self) -> None:
        results = QWidget()
        below = QVBoxLayout(results)
        below.setContentsMargins(0, GRID, 0, 0)
        below.setSpacing(GRID)
        self._summary.setContentsMargins(GRID, 0, GRID, 0)
        self._stack = QStackedLayout()
        below.addWidget(self._summary)
        below.addLayout(self._stack, 1)
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.empty_page)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setObjectName("detectionsSplitter")
        splitter.addWidget(self.classes)
        splitter.addWidget(results)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 2)
        splitter.setCollapsible(1, False)
        splitter.setSizes([CLASSES_HEIGHT, TABLE_HEIGHT])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GRID // 2, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.histogram)
        layout.addWidget(self.refine)
        layout.addWidget(self.tiling)
        layout.addWidget(splitter, 1)
        layout.addWidget(self._bar)
