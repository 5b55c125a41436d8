"""Draws a box that the model missed: two corners, by dragging or by two clicks."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.canvas.geometry import Point, Size, is_meant, spanned
from engine.detect.detection import Box


class BoxDrawing(QObject):
    """Where the corners of the new box are, in pixels of the image.

    Signals:
        changed: It was taken up, moved or put down.
        active_changed(bool): Whether it is in the hand now.
        drawn(Box): The new box.
    """

    changed = pyqtSignal()
    active_changed = pyqtSignal(bool)
    drawn = pyqtSignal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._size: Size | None = None
        self._corner: Point | None = None
        self._pointer: Point | None = None

    @property
    def is_active(self) -> bool:
        """Whether a box is being drawn, or about to be."""
        return self._size is not None

    @property
    def box(self) -> Box | None:
        """The box so far; `None` before its first corner is set."""
        if self._size is None or self._corner is None or self._pointer is None:
            return None
        return spanned(self._corner, self._pointer, self._size)

    def start(self, size: Size) -> None:
        """Begin to draw on an image of this size."""
        self._size, self._corner = size, None
        self.changed.emit()
        self.active_changed.emit(True)

    def cancel(self) -> bool:
        """Give up; whether there was anything to give up."""
        was_taken = self.is_active
        self._size = self._corner = None
        if was_taken:
            self.changed.emit()
            self.active_changed.emit(False)
        return was_taken

    def move(self, pointer: Point) -> None:
        """The pointer is here."""
        self._pointer = pointer
        if self.is_active:
            self.changed.emit()

    def press(self, pointer: Point) -> None:
        """The button is down: here is the first corner, if it is not set."""
        if self._corner is None:
            self._corner = pointer
        self.move(pointer)

    def release(self, pointer: Point) -> None:
        """The button is up: here is the second corner; it follows the pointer on while the box is too small."""
        self.move(pointer)
        box = self.box
        if box is not None and is_meant(box):
            self.cancel()
            self.drawn.emit(box)
