"""A mouse button that is held down over the canvas: a click, or a drag of something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PyQt5.QtCore import QPoint, QPointF, QRectF

from desktop.canvas.box_drawing import BoxDrawing
from desktop.canvas.geometry import Handle, Point
from desktop.canvas.reshaper import Reshaper

_HAND_TREMBLES = 4

ToScene = Callable[[QPoint], QPointF]


class Drag(Protocol):
    """What a drag does; positions are the view's."""

    def to(self, position: QPoint) -> None:
        """The pointer is here."""

    def drop(self) -> None:
        """The button is up."""

    def cancel(self) -> None:
        """All is as before the button went down."""


class PointerPress:
    """A click, until the pointer is so far away that it drags.

    Attributes:
        drag: What it does then.
        is_dragging: Whether it does.
    """

    def __init__(self, position: QPoint, drag: Drag, is_dragging: bool = False) -> None:
        self._start = position
        self.drag = drag
        self.is_dragging = is_dragging

    def to(self, position: QPoint) -> None:
        """The pointer is here."""
        self.is_dragging |= (position - self._start).manhattanLength() >= _HAND_TREMBLES
        if self.is_dragging:
            self.drag.to(position)


class Panning:
    """Moves the image."""

    def __init__(self, position: QPoint, pan: Callable[[QPointF], None]) -> None:
        self._last = position
        self._pan = pan

    def to(self, position: QPoint) -> None:
        """The image comes along."""
        self._pan(QPointF(position - self._last))
        self._last = position

    def drop(self) -> None:
        """It stays where it is."""

    def cancel(self) -> None:
        """It stays where it is."""


class Reshaping:
    """Moves the selected boxes, or resizes one of them."""

    def __init__(self, reshaper: Reshaper, held: tuple[int, Handle], position: QPoint, to_scene: ToScene) -> None:
        self._reshaper = reshaper
        self._held = held
        self._start = to_scene(position)
        self._to_scene = to_scene

    def to(self, position: QPoint) -> None:
        """The boxes follow."""
        if not self._reshaper.is_dragging:
            self._reshaper.begin(*self._held)
        way = self._to_scene(position) - self._start
        self._reshaper.drag((way.x(), way.y()))

    def drop(self) -> None:
        """They stay, and that is told."""
        self._reshaper.finish()

    def cancel(self) -> None:
        """They go back."""
        self._reshaper.cancel()


class Banding:
    """Spans a rubber band; both ends stay on the image while it is scrolled.

    Attributes:
        band: In the scene.
    """

    def __init__(self, position: QPoint, to_scene: ToScene, dropped: Callable[[QRectF], None]) -> None:
        self._start = to_scene(position)
        self._to_scene = to_scene
        self._dropped = dropped
        self.band = QRectF()

    def to(self, position: QPoint) -> None:
        """It reaches to here."""
        self.band = QRectF(self._start, self._to_scene(position)).normalized()

    def drop(self) -> None:
        """What lies in it is selected."""
        self._dropped(self.band)

    def cancel(self) -> None:
        """Nothing is selected by it."""


class Drawing:
    """Draws a new box: the button that goes down sets a corner, and the one that goes up the other."""

    def __init__(self, drawing: BoxDrawing, position: QPoint, to_scene: ToScene) -> None:
        self._drawing = drawing
        self._position = position
        self._to_scene = to_scene
        drawing.press(self._point)

    def to(self, position: QPoint) -> None:
        """The box reaches to here."""
        self._position = position
        self._drawing.move(self._point)

    def drop(self) -> None:
        """It is drawn, if it is large enough."""
        self._drawing.release(self._point)

    def cancel(self) -> None:
        """It is gone."""
        self._drawing.cancel()

    @property
    def _point(self) -> Point:
        point = self._to_scene(self._position)
        return point.x(), point.y()
