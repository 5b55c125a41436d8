"""Keys with another meaning while boxes are edited."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent

from desktop.canvas.box_drawing import BoxDrawing
from desktop.canvas.mouse import Mouse
from desktop.canvas.reshaper import Reshaper

_ARROWS = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down})
_MODIFIERS = frozenset({Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta})


class EditingKeys:
    """Escape cancels a gesture, the space bar pans while a box is drawn, the release of an arrow key ends a nudge."""

    def __init__(self, mouse: Mouse, drawing: BoxDrawing, reshaper: Reshaper) -> None:
        self._mouse = mouse
        self._drawing = drawing
        self._reshaper = reshaper

    def wants(self, event: QKeyEvent) -> bool:
        """Return whether the canvas handles a key before any shortcut; keys other than arrows end a nudge."""
        if event.key() not in _ARROWS | _MODIFIERS and not self._reshaper.is_dragging:
            self._reshaper.finish()
        if event.key() == Qt.Key.Key_Escape:
            return self._mouse.is_holding
        return event.key() == Qt.Key.Key_Space and self._drawing.is_active

    def press(self, event: QKeyEvent) -> bool:
        """Handle a pressed key and return whether it was for the canvas."""
        if not self.wants(event):
            return False
        if event.key() == Qt.Key.Key_Escape:
            self._mouse.cancel()
        else:
            self._mouse.pan_instead(True)
        return True

    def release(self, event: QKeyEvent) -> bool:
        """Handle a released key and return whether it was for the canvas."""
        if event.isAutoRepeat():
            return False
        if event.key() in _ARROWS and not self._reshaper.is_dragging:
            self._reshaper.finish()
            return True
        if event.key() == Qt.Key.Key_Space and self._mouse.pans:
            self._mouse.pan_instead(False)
            return True
        return False
