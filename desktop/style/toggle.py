"""A switch: a check box drawn as a sliding knob."""

from __future__ import annotations

from PyQt5.QtCore import QEasingCurve, QPoint, QPointF, QRectF, QSize, Qt, QVariantAnimation
from PyQt5.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QCheckBox, QWidget

from desktop.style.theme import GRID, current_theme

_TRACK = QSize(44, 24)
_FOCUS_ROOM = 4
_KNOB_MARGIN = 3
_SLIDE_MS = 120


class Toggle(QCheckBox):
    """A check box to screen readers and keyboard, with its text on the right."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._place = 0.0
        self._slide = QVariantAnimation(self)
        self._slide.setDuration(_SLIDE_MS)
        self._slide.setEasingCurve(QEasingCurve.Type.InOutQuad)
        self._slide.valueChanged.connect(self._move_knob)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        text = metrics.horizontalAdvance(self.text()) + GRID if self.text() else 0
        side = 2 * _FOCUS_ROOM
        return QSize(_TRACK.width() + side + text, max(_TRACK.height() + side, metrics.height()))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, at: QPoint) -> bool:
        return self.rect().contains(at)

    def nextCheckState(self) -> None:
        super().nextCheckState()
        self._slide_to_state()

    def show_checked(self, on: bool) -> None:
        """Show a state without a signal."""
        if on != self.isChecked():
            blocked = self.blockSignals(True)
            self.setChecked(on)
            self.blockSignals(blocked)
            self._slide_to_state()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        track = QRectF(_FOCUS_ROOM, (self.height() - _TRACK.height()) / 2, _TRACK.width(), _TRACK.height())
        self._draw_track(painter, track)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.focus), 2))
            ring = track.adjusted(-3, -3, 3, 3)
            painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2)
        painter.setPen(QColor(theme.text if self.isEnabled() else theme.text_disabled))
        left = int(track.right()) + _FOCUS_ROOM + GRID
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), self.text())
        painter.end()

    def _draw_track(self, painter: QPainter, track: QRectF) -> None:
        theme = current_theme()
        place = self._place if self._slide.state() == QVariantAnimation.State.Running else float(self.isChecked())
        ground = QColor(theme.accent) if self.isChecked() else QColor(theme.surface)
        edge = QColor(theme.accent) if self.isChecked() else QColor(theme.text_muted)
        knob = QColor(theme.accent_text) if self.isChecked() else QColor(theme.text_muted)
        if not self.isEnabled():
            ground, edge, knob = QColor(theme.hover), QColor(theme.border), QColor(theme.text_disabled)
        painter.setPen(QPen(edge, 1.5))
        painter.setBrush(ground)
        painter.drawRoundedRect(track.adjusted(0.75, 0.75, -0.75, -0.75), track.height() / 2, track.height() / 2)
        radius = track.height() / 2 - _KNOB_MARGIN - 1
        travel = track.width() - track.height()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(knob)
        middle = QPointF(track.left() + track.height() / 2 + place * travel, track.center().y())
        painter.drawEllipse(middle, radius, radius)

    def _slide_to_state(self) -> None:
        self._slide.stop()
        self._slide.setStartValue(self._place)
        self._slide.setEndValue(float(self.isChecked()))
        self._slide.start()

    def _move_knob(self, place: object) -> None:
        self._place = float(place) if isinstance(place, int | float) else 0.0
        self.update()
