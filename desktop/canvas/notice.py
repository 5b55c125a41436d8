"""A few words in the corner of the canvas, about how it is shown."""

from __future__ import annotations

from PyQt5.QtCore import QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QPainter

from desktop.style.theme import GRID, current_theme, hint_font

_ROUND = 4.0


def paint_notice(painter: QPainter, seen: QRect, text: str) -> None:
    """Paint `text` at the upper left of `seen`, in the view's coordinates."""
    theme = current_theme()
    painter.save()
    painter.resetTransform()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setFont(hint_font())
    metrics = painter.fontMetrics()
    size = QSize(metrics.horizontalAdvance(text) + 2 * GRID, metrics.height() + GRID)
    room = QRect(seen.topLeft(), size).translated(GRID, GRID)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.tooltip))
    painter.drawRoundedRect(QRectF(room), _ROUND, _ROUND)
    painter.setPen(QColor(theme.tooltip_text))
    painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter), text)
    painter.restore()
