"""The page in place of an empty table: why it is empty, and a button that helps."""

from __future__ import annotations

import math

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.style.parts import hint_label
from desktop.style.shown_words import classes_of, held, why_nothing
from desktop.style.theme import GRID


class EmptyPage(QWidget):
    """Explains why nothing is shown.

    Signals:
        threshold_chosen(float): The highest threshold that lets something through, 0..1.
        all_classes_asked: Show what is hidden by class.
    """

    threshold_chosen = pyqtSignal(float)
    all_classes_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lower = 0.0
        self._reason, self._classes = QLabel(), hint_label("")
        self._lower_button = QPushButton()
        self._lower_button.setObjectName("lowerThresholdButton")
        self._lower_button.clicked.connect(lambda: self.threshold_chosen.emit(self._lower))
        self._all_button = QPushButton(tr("Show all classes"))
        self._all_button.setObjectName("showAllClassesButton")
        self._all_button.clicked.connect(self.all_classes_asked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        for label in (self._reason, self._classes):
            label.setWordWrap(True)
            layout.addWidget(label)
        for button in (self._lower_button, self._all_button):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)

    def show_state(self, state: ViewerState) -> None:
        """Show the reason and the button."""
        self._reason.setText(why_nothing(state))
        self._classes.setText("" if state.detections is None else classes_of(state.detections))
        back = held(state)
        is_hidden = back is not None and len(back.hidden) > 0
        self._all_button.setVisible(is_hidden)
        best = None if is_hidden else _best_below(state)
        self._lower_button.setVisible(best is not None)
        if best is not None:
            self._lower = _just_below(best)
            self._lower_button.setText(tr("Lower the threshold to {threshold:.2f}", threshold=self._lower))


def _best_below(state: ViewerState) -> float | None:
    """Return the best score that a lower general threshold would show."""
    found, refinement = state.detections, state.refinement
    if found is None or state.chosen.threshold == 0:
        return None
    best = (
        each.score
        for each in found
        if each.score <= state.chosen.threshold
        and refinement.shows(each.label)
        and each.label not in refinement.class_thresholds
    )
    return next(best, None)


def _just_below(score: float) -> float:
    """Return the highest threshold of two decimals below a score."""
    return max(0.0, (math.ceil(score * 100) - 1) / 100)
