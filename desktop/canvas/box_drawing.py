"""Drawing a new box by two corners: by dragging or by two clicks."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.canvas.geometry import Point, Size, is_intended, spanned
from engine.detect.detection import Box


class BoxDrawing(QObject):
    """The box that is being drawn, in pixels of the image.

    Signals:
        changed: Drawing began or ended, or the box has changed.
        active_changed(bool): Whether a box is being drawn.
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
        """Cancel and return whether there was anything to cancel."""
        was_taken = self.is_active
        self._size = self._corner = None
        if was_taken:
            self.changed.emit()
            self.active_changed.emit(False)
        return was_taken

    def move(self, pointer: Point) -> None:
        """Follow the pointer."""
        self._pointer = pointer
        if self.is_active:
            self.changed.emit()

    def press(self, pointer: Point) -> None:
        """Set the first corner, if it is not set."""
        if self._corner is None:
            self._corner = pointer
        self.move(pointer)

    def release(self, pointer: Point) -> None:
        """Set the second corner; while the box is too small, it follows the pointer instead."""
        self.move(pointer)
        box = self.box
        if box is not None and is_intended(box):
            self.cancel()
            self.drawn.emit(box)
