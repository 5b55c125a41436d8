"""The right panel's first tab: which detections are shown, the table of them, and what is decided about them."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QLineEdit, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from desktop.results.class_list import ClassList
from desktop.results.detection_table import DetectionTable
from desktop.results.histogram import ScoreHistogram
from desktop.results.refine_row import RefineRow
from desktop.results.tiling_row import TilingRow
from desktop.review.bar import ReviewBar
from desktop.state.viewer import ViewerState
from desktop.style.parts import SteadyHint
from desktop.style.shown_words import summary
from desktop.style.theme import GRID
from desktop.window.empty_page import EmptyPage

CLASSES_HEIGHT, TABLE_HEIGHT = 22 * GRID, 30 * GRID


class DetectionsPanel(QWidget):
    """What was found, what of it is shown, and what is decided.

    Signals:
        threshold_chosen(float): By the histogram, or the lower one that the empty table offers, 0..1.
        refinement_chosen(Refinement): By the list of classes or the row of suppression.
        tiling_chosen(Tiling | None): How to cut large images into tiles.
        accept_asked, reject_asked, relabel_asked, forget_asked: About the selected boxes.
        reviewed_asked: Accept every undecided box, the image is reviewed, on to the next.
        note_changed(str): Another note about the image.
    """

    threshold_chosen = pyqtSignal(float)
    refinement_chosen = pyqtSignal(object)
    tiling_chosen = pyqtSignal(object)
    accept_asked = pyqtSignal()
    reject_asked = pyqtSignal()
    relabel_asked = pyqtSignal()
    forget_asked = pyqtSignal()
    reviewed_asked = pyqtSignal()
    note_changed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ViewerState()
        self._told: tuple[object, ...] = ()
        self._selected: frozenset[int] = frozenset()
        self.histogram = ScoreHistogram()
        self.refine = RefineRow()
        self.tiling = TilingRow()
        self.classes = ClassList()
        self.table = DetectionTable()
        self.bar = ReviewBar()
        self._empty = EmptyPage()
        self._summary = SteadyHint()
        self._lay_out()
        self._wire()

    def show_state(self, state: ViewerState) -> None:
        """Show the detections that pass, which are selected, and what was decided."""
        self._state = state
        self._show_choosing(state)
        reviewed = state.reviewed
        told = (state.image, state.detections, state.decided, state.chosen, state.refinement)
        changed = not self._told or any(new is not old for new, old in zip(told, self._told, strict=True))
        self._told = told
        if changed:
            self.table.show_reviewed(reviewed)
        if changed or state.selected != self._selected:
            self._selected = state.selected
            self.table.select(state.selected)
        empty = reviewed is None or not len(reviewed.shown)
        self._stack.setCurrentIndex(int(empty))
        self._summary.setVisible(not empty)
        if empty:
            self._empty.show_state(state)
        elif changed:
            self._summary.set_text(summary(state))
        self.bar.show_state(state)

    @property
    def text_fields(self) -> tuple[QLineEdit, ...]:
        """Where one types."""
        return self.bar.note, self.classes.search

    def finish_note(self) -> None:
        """Tell the note as far as it was typed; to be called before another image is shown."""
        self.bar.note.finish()

    def _show_choosing(self, state: ViewerState) -> None:
        """What chooses, as soon as there is something to choose from."""
        is_known = state.detections is not None or len(state.scores.scores) > 0
        for part in (self.histogram, self.refine, self.classes):
            part.setVisible(is_known)
        self.bar.setVisible(state.image is not None)
        self.tiling.setVisible(is_known or state.image is not None)
        self.tiling.show_state(state)
        self.classes.show_state(state)
        self.refine.show_state(state)
        self._show_histogram()

    def _show_histogram(self, _selected: object = None) -> None:
        solo = self._state.refinement.solo
        self.histogram.show_scores(self._state, solo if solo is not None else self.classes.selected)

    def _move_threshold(self, threshold: float) -> None:
        """The line in the histogram is the general threshold, or a class's own."""
        label = self.histogram.label
        if label is not None and label in self._state.refinement.class_thresholds:
            self.classes.set_threshold(label, threshold)
        else:
            self.threshold_chosen.emit(threshold)

    def _wire(self) -> None:
        self.histogram.threshold_chosen.connect(self._move_threshold)
        self._empty.threshold_chosen.connect(self.threshold_chosen)
        self._empty.all_classes_asked.connect(self.classes.show_all)
        self.classes.class_selected.connect(self._show_histogram)
        for part in (self.refine, self.classes):
            part.refinement_chosen.connect(self.refinement_chosen)
        self.tiling.tiling_chosen.connect(self.tiling_chosen)
        for told, asked in (
            (self.bar.accept_asked, self.accept_asked),
            (self.bar.reject_asked, self.reject_asked),
            (self.bar.relabel_asked, self.relabel_asked),
            (self.bar.forget_asked, self.forget_asked),
            (self.bar.reviewed_asked, self.reviewed_asked),
            (self.bar.note_changed, self.note_changed),
        ):
            told.connect(asked)

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
        self._stack.addWidget(self._empty)
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
        layout.addWidget(self.bar)
