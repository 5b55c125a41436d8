"""The histogram of the session's scores, with the threshold as a line."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QEvent, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QAbstractSlider, QToolTip, QWidget

from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr, tr_count
from desktop.style.theme import GRID, current_theme
from engine.render.palette import label_colour
from engine.review.tally import NO_SCORES, SessionScores

BINS = 50
HEIGHT = 8 * GRID
_GRIP = 5.0
_STEP, _PAGE = 1, 5


class ScoreHistogram(QAbstractSlider):
    """A slider over the histogram; its value is the threshold in percent.

    Signals:
        threshold_chosen(float): The line was moved, 0..1.
    """

    threshold_chosen = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scores: SessionScores = NO_SCORES
        self._label: str | None = None
        self._threshold = 0.5
        self._bars: npt.NDArray[np.int64] = np.zeros(BINS, np.int64)
        self.setObjectName("scoreHistogram")
        self.setAccessibleName(tr("Threshold, among the scores of the session"))
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, 100)
        self.setSingleStep(_STEP)
        self.setPageStep(_PAGE)
        self.setFixedHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.valueChanged.connect(lambda percent: self.threshold_chosen.emit(percent / 100))

    @property
    def label(self) -> str | None:
        """The class whose scores are shown; `None` shows all."""
        return self._label

    def show_scores(self, state: ViewerState, label: str | None) -> None:
        """Show the scores of one class, or of all, and the threshold that applies to them."""
        threshold = state.chosen.threshold
        if label is not None:
            threshold = state.refinement.threshold_of(label, threshold)
        is_same = label == self._label and _have_same_rows(state.scores, self._scores)
        self._scores, self._label = state.scores, label
        if not is_same:
            self._bars = state.scores.histogram(BINS, label)
        elif threshold == self._threshold:
            return
        self._threshold = threshold
        blocked = self.blockSignals(True)
        self.setValue(round(threshold * 100))
        self.blockSignals(blocked)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(20 * GRID, HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._move_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._move_to(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.summary(), self)
            return True
        return bool(super().event(event))

    def summary(self) -> str:
        """Return how many scores are above the threshold."""
        above = self._scores.count_above(self._threshold, self._label)
        if self._label is None:
            return tr_count(
                "{count:,} above {threshold:.2f}", "{count:,} above {threshold:.2f}", above, threshold=self._threshold
            )
        return tr_count(
            "{label}: {count:,} above {threshold:.2f}",
            "{label}: {count:,} above {threshold:.2f}",
            above,
            label=self._label,
            threshold=self._threshold,
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, room = current_theme(), self._room()
        at = room.left() + room.width() * self._threshold
        bars = _bars(self._bars, room)
        painter.setPen(Qt.PenStyle.NoPen)
        colour = QColor(theme.accent) if self._label is None else QColor(*label_colour(self._label))
        for left, right, fill in ((0.0, at, QColor(theme.scroll_bar)), (at, float(self.width()), colour)):
            painter.setClipRect(QRectF(left, 0, max(right - left, 0), self.height()))
            painter.setBrush(fill)
            painter.drawRects(bars)
        painter.setClipping(False)
        painter.setPen(QPen(QColor(theme.field_border), 1))
        painter.drawLine(int(room.left()), int(room.bottom()), int(room.right()), int(room.bottom()))
        self._paint_line(painter, at, room)
        painter.end()

    def _paint_line(self, painter: QPainter, at: float, room: QRectF) -> None:
        theme = current_theme()
        colour = QColor(theme.focus if self.hasFocus() else theme.text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRect(QRectF(at - 0.75, room.top() - _GRIP, 1.5, room.height() + _GRIP))
        painter.setPen(QPen(QColor(theme.window), 1.5))
        painter.drawEllipse(QRectF(at - _GRIP, room.top() - 2 * _GRIP + 1, 2 * _GRIP, 2 * _GRIP))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 0.5, -1.5, -0.5), 4, 4)

    def _room(self) -> QRectF:
        """Return the rectangle of the bars."""
        return QRectF(self.rect()).adjusted(GRID, GRID + 2, -GRID, -4)

    def _move_to(self, event: QMouseEvent) -> None:
        room = self._room()
        self.setValue(round((event.localPos().x() - room.left()) / room.width() * 100))


def _have_same_rows(scores: SessionScores, others: SessionScores) -> bool:
    """Return whether the scores are the same array: values that differ in decisions at most share it."""
    return len(scores.scores) == len(others.scores) and scores.scores.ctypes.data == others.scores.ctypes.data


def _bars(counts: npt.NDArray[np.int64], room: QRectF) -> list[QRectF]:
    """Return one bar for each bin that is not empty, its height proportional to the square root of the count."""
    most, width = math.sqrt(max(1, int(counts.max()))), room.width() / len(counts)
    heights = [
        (at, max(2.0, math.sqrt(count) / most * room.height())) for at, count in enumerate(counts.tolist()) if count
    ]
    return [QRectF(room.left() + at * width + 0.5, room.bottom() - high, width - 1, high) for at, high in heights]
