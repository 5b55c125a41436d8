"""Clicks and drags with a mouse button on the canvas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PyQt5.QtCore import QPoint, QPointF, QRectF

from desktop.canvas.box_drawing import BoxDrawing
from desktop.canvas.geometry import Handle, Point
from desktop.canvas.reshaper import Reshaper

_DRAG_DISTANCE = 4

ToScene = Callable[[QPoint], QPointF]


class Drag(Protocol):
    """A drag of something; positions are those of the view."""

    def to(self, position: QPoint) -> None:
        """Follow the pointer."""

    def drop(self) -> None:
        """Finish, because the button was released."""

    def cancel(self) -> None:
        """Restore what was before the button was pressed."""


class PointerPress:
    """A pressed button: a click until the pointer has moved far enough for a drag.

    Attributes:
        drag: What it is then.
        is_dragging: Whether it is a drag.
    """

    def __init__(self, position: QPoint, drag: Drag, is_dragging: bool = False) -> None:
        self._start = position
        self.drag = drag
        self.is_dragging = is_dragging

    def to(self, position: QPoint) -> None:
        """Follow the pointer."""
        self.is_dragging |= (position - self._start).manhattanLength() >= _DRAG_DISTANCE
        if self.is_dragging:
            self.drag.to(position)


class Panning:
    """Pans the image."""

    def __init__(self, position: QPoint, pan: Callable[[QPointF], None]) -> None:
        self._last = position
        self._pan = pan

    def to(self, position: QPoint) -> None:
        self._pan(QPointF(position - self._last))
        self._last = position

    def drop(self) -> None: ...

    def cancel(self) -> None: ...


class Reshaping:
    """Moves the selected boxes, or resizes one of them."""

    def __init__(self, reshaper: Reshaper, held: tuple[int, Handle], position: QPoint, to_scene: ToScene) -> None:
        self._reshaper = reshaper
        self._held = held
        self._start = to_scene(position)
        self._to_scene = to_scene

    def to(self, position: QPoint) -> None:
        if not self._reshaper.is_dragging:
            self._reshaper.begin(*self._held)
        way = self._to_scene(position) - self._start
        self._reshaper.drag((way.x(), way.y()))

    def drop(self) -> None:
        self._reshaper.finish()

    def cancel(self) -> None:
        self._reshaper.cancel()


class Banding:
    """Spans a rubber band; both ends stay on the image while it is scrolled.

    Attributes:
        band: The rectangle, in scene coordinates.
    """

    def __init__(self, position: QPoint, to_scene: ToScene, dropped: Callable[[QRectF], None]) -> None:
        self._start = to_scene(position)
        self._to_scene = to_scene
        self._dropped = dropped
        self.band = QRectF()

    def to(self, position: QPoint) -> None:
        self.band = QRectF(self._start, self._to_scene(position)).normalized()

    def drop(self) -> None:
        self._dropped(self.band)

    def cancel(self) -> None: ...


class Drawing:
    """Draws a new box from the press to the release."""

    def __init__(self, drawing: BoxDrawing, position: QPoint, to_scene: ToScene) -> None:
        self._drawing = drawing
        self._position = position
        self._to_scene = to_scene
        drawing.press(self._point)

    def to(self, position: QPoint) -> None:
        self._position = position
        self._drawing.move(self._point)

    def drop(self) -> None:
        self._drawing.release(self._point)

    def cancel(self) -> None:
        self._drawing.cancel()

    @property
    def _point(self) -> Point:
        point = self._to_scene(self._position)
        return point.x(), point.y()
