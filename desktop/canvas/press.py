"""A mouse button that is held down over the canvas: a click, or a drag."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QPointF
from PyQt5.QtWidgets import QApplication


class Press:
    """A click, until the pointer is so far away that it drags the image.

    Attributes:
        dragging: Whether it drags.
    """

    def __init__(self, position: QPoint, dragging: bool) -> None:
        self._last = position
        self.dragging = dragging

    def moved_by(self, position: QPoint) -> QPointF:
        """How far to move the image, now that the pointer is at `position`."""
        way = position - self._last
        self.dragging |= way.manhattanLength() >= QApplication.startDragDistance()
        if not self.dragging:
            return QPointF()
        self._last = position
        return QPointF(way)
