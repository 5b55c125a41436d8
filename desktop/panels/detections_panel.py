"""The right panel's first tab: the table of detections, or why it is empty."""

from __future__ import annotations

import math

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from desktop.i18n import tr, tr_count
from desktop.panels.detection_table import DetectionTable
from desktop.panels.parts import hint_label
from desktop.theme import GRID
from desktop.viewer_state import Stage, ViewerState
from engine.detect.detection import Detections

NAMES_SHOWN = 8


class DetectionsPanel(QWidget):
    """What was found, in words.

    Signals:
        threshold_chosen(float): The lower threshold that the empty table offers, 0..1.
    """

    threshold_chosen = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = DetectionTable()
        self._shown: Detections | None = None
        self._selected: frozenset[int] = frozenset()
        self._lower = 0.0
        self._summary = hint_label("")
        self._reason, self._classes, self._button = QLabel(), hint_label(""), QPushButton()
        self._button.clicked.connect(lambda: self.threshold_chosen.emit(self._lower))
        self._stack = QStackedLayout()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._make_empty())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GRID, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._summary)
        layout.addLayout(self._stack, 1)
        self._summary.setContentsMargins(GRID, 0, GRID, 0)

    def show_state(self, state: ViewerState) -> None:
        """Show the detections that the filter lets through, and which are selected."""
        changed = state.shown is not self._shown
        if changed:
            self._shown = state.shown
            self.table.show_detections(state.shown)
        if changed or state.selected != self._selected:
            self._selected = state.selected
            self.table.select(state.selected)
        empty = not state.shown or not len(state.shown)
        self._stack.setCurrentIndex(int(empty))
        self._summary.setVisible(not empty)
        if empty:
            self._explain(state)
        elif state.shown is not None:
            self._summary.setText(_summary(state.shown, state.hidden_count))

    def _explain(self, state: ViewerState) -> None:
        self._reason.setText(_reason(state))
        found = state.detections
        self._classes.setText(_classes(found) if found is not None else "")
        below = 0 if found is None else int((found.scores <= state.chosen.threshold).sum())
        self._button.setVisible(below > 0 and state.chosen.threshold > 0)
        if found is not None and below:
            self._lower = _just_below(float(found.scores[0]))
            self._button.setText(tr("Lower the threshold to {threshold:.2f}", threshold=self._lower))

    def _make_empty(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        for label in (self._reason, self._classes):
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)
        return page


def _reason(state: ViewerState) -> str:
    if state.detections is not None:
        below = int((state.detections.scores <= state.chosen.threshold).sum())
        return tr_count(
            "Nothing above {threshold:.2f}. {count} detection is below.",
            "Nothing above {threshold:.2f}. {count} detections are below.",
            below,
            threshold=state.chosen.threshold,
        )
    if state.stage in (Stage.LOADING_MODEL, Stage.DETECTING) and state.image is not None:
        return tr("Detecting…")
    if state.image is not None:
        return tr("Not detected yet: press F5.")
    return tr("What the model finds in an image is listed here.")


def _classes(found: Detections) -> str:
    names = [name for _, name in sorted(found.names.items())]
    shown = tr(", ").join(names[:NAMES_SHOWN])
    if len(names) <= NAMES_SHOWN:
        return tr("{model} can find: {names}.", model=found.model, names=shown)
    return tr_count(
        "{model} can find: {names} and {count} more.",
        "{model} can find: {names} and {count} more.",
        len(names) - NAMES_SHOWN,
        model=found.model,
        names=shown,
    )


def _summary(shown: Detections, hidden: int) -> str:
    if not hidden:
        return tr_count("{count} detection", "{count} detections", len(shown))
    return tr_count(
        "{count} detection, {hidden} more hidden", "{count} detections, {hidden} more hidden", len(shown), hidden=hidden
    )


def _just_below(score: float) -> float:
    """The highest threshold of two decimals that lets this score through."""
    return max(0.0, (math.ceil(score * 100) - 1) / 100)
