"""Mouse events of the canvas: hovering, clicking, panning, reshaping, drawing, the rubber band."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QPoint, QRect, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QGraphicsView

from desktop.canvas import selection
from desktop.canvas.box_drawing import BoxDrawing
from desktop.canvas.drags import Banding, Drag, Drawing, Panning, PointerPress, Reshaping
from desktop.canvas.geometry import WHOLE, Handle, Point
from desktop.canvas.reshaper import Reshaper
from desktop.canvas.scene import ImageScene
from desktop.canvas.zoom import Zoom

_CLICK_TOLERANCE = 4.0
_GRIP_REACH = 6.0
_CURSORS = {
    WHOLE: Qt.CursorShape.SizeAllCursor,
    Handle(-1, -1): Qt.CursorShape.SizeFDiagCursor,
    Handle(1, 1): Qt.CursorShape.SizeFDiagCursor,
    Handle(-1, 1): Qt.CursorShape.SizeBDiagCursor,
    Handle(1, -1): Qt.CursorShape.SizeBDiagCursor,
    Handle(-1, 0): Qt.CursorShape.SizeHorCursor,
    Handle(1, 0): Qt.CursorShape.SizeHorCursor,
    Handle(0, -1): Qt.CursorShape.SizeVerCursor,
    Handle(0, 1): Qt.CursorShape.SizeVerCursor,
}


class Mouse(QObject):
    """Turns mouse events into actions.

    Attributes:
        position: The pointer, in the view's coordinates; `None` while it is elsewhere.
        pans: Whether the left button pans in any case.

    Signals:
        picked(frozenset[int]): These detections are to be selected.
        pointed(int | None): The detection under the pointer.
        activated(int | None): A double click on this detection, or on the background.
        changed: The pointer or a rubber band moved.
    """

    picked = pyqtSignal(object)
    pointed = pyqtSignal(object)
    activated = pyqtSignal(object)
    changed = pyqtSignal()

    def __init__(
        self, view: QGraphicsView, scene: ImageScene, zoom: Zoom, reshaper: Reshaper, drawing: BoxDrawing
    ) -> None:
        super().__init__(view)
        self.position: QPoint | None = None
        self._view = view
        self._boxes = scene.boxes
        self._zoom = zoom
        self._reshaper = reshaper
        self._drawing = drawing
        self._left: PointerPress | None = None
        self._middle: PointerPress | None = None
        self.pans = False

    @property
    def band(self) -> QRect | None:
        """The rubber band in view coordinates."""
        drag = self._left.drag if self._left is not None and self._left.is_dragging else None
        if not isinstance(drag, Banding):
            return None
        return self._view.viewportTransform().mapRect(drag.band).toRect()

    @property
    def is_holding(self) -> bool:
        """Whether Escape would cancel something: a drag that changes or selects boxes, or a new box."""
        return self._drawing.is_active or self._is_changing

    @property
    def is_down(self) -> bool:
        """Whether a button is held."""
        return self._left is not None or self._middle is not None

    def under(self, position: QPoint) -> list[int]:
        """Return the indices of the shown boxes at `position` of the view, smallest first."""
        if not self._boxes.isVisible():
            return []
        return self._boxes.under(self._view.mapToScene(position), _CLICK_TOLERANCE / self._zoom.value)

    def press(self, event: QMouseEvent) -> None:
        """Handle a pressed button."""
        self.position = position = event.pos()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._middle = PointerPress(position, Panning(position, self._zoom.pan), is_dragging=True)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._left = PointerPress(position, self._drag_for(event), is_dragging=self.pans)
        self._show_cursor()

    def move(self, event: QMouseEvent) -> None:
        """Follow the pointer; a button that was released in another window counts as released."""
        self.position = position = event.pos()
        if self._left is not None and not event.buttons() & Qt.MouseButton.LeftButton:
            self._left.drag.cancel()
            self._left = None
        if not event.buttons() & Qt.MouseButton.MiddleButton:
            self._middle = None
        for press in (self._middle, self._left):
            if press is not None:
                press.to(position)
        self.follow()
        if not self.is_down:
            self.pointed.emit(None if self._drawing.is_active else self.top_under(position))
        self._show_cursor()
        self.changed.emit()

    def follow(self) -> None:
        """Update the new box after the image has moved under the pointer."""
        if self.position is not None and self._drawing.is_active:
            self._drawing.move(self._point(self.position))

    def release(self, event: QMouseEvent) -> None:
        """Handle a released button: finish a drag, or click."""
        if event.button() == Qt.MouseButton.MiddleButton:
            self._middle = None
        elif event.button() == Qt.MouseButton.LeftButton and self._left is not None:
            press, self._left = self._left, None
            if press.is_dragging or isinstance(press.drag, Drawing):
                press.drag.drop()
            else:
                self._click(event)
        self._show_cursor()
        self.changed.emit()

    def double_click(self, event: QMouseEvent) -> None:
        """Handle the second press of a double click; while a box is drawn it is like any other press."""
        if self._drawing.is_active or self.pans:
            self.press(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit(self.top_under(event.pos()))

    def leave(self) -> None:
        """Handle that the pointer has left."""
        self.position = None
        self.pointed.emit(None)
        self.changed.emit()

    def cancel(self) -> bool:
        """Cancel what the mouse does and return whether there was anything."""
        if not self.is_holding:
            return False
        press, self._left = self._left, None
        if press is not None:
            press.drag.cancel()
        self._drawing.cancel()
        self._show_cursor()
        self.changed.emit()
        return True

    def pan_instead(self, pans: bool) -> None:
        """Let the left button pan, while the space bar is down."""
        if pans != self.pans:
            self.pans = pans
            self._show_cursor()

    def refresh(self) -> None:
        """Update the cursor."""
        self.follow()
        self._show_cursor()
        self.changed.emit()

    def top_under(self, position: QPoint) -> int | None:
        """Return the smallest box at a position."""
        return next(iter(self.under(position)), None)

    @property
    def _is_changing(self) -> bool:
        press = self._left
        return press is not None and press.is_dragging and not isinstance(press.drag, Panning)

    def _drag_for(self, event: QMouseEvent) -> Drag:
        position = event.pos()
        if self.pans:
            return Panning(position, self._zoom.pan)
        if self._drawing.is_active:
            return Drawing(self._drawing, position, self._view.mapToScene)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            return Banding(position, self._view.mapToScene, lambda band: self._pick_within(band, adds))
        held = self._held_at(position)
        if held is not None:
            return Reshaping(self._reshaper, held, position, self._view.mapToScene)
        return Panning(position, self._zoom.pan)

    def _click(self, event: QMouseEvent) -> None:
        adding = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        pick = selection.toggled if adding else selection.clicked
        self.picked.emit(pick(self._boxes.selected, self.under(event.pos())))

    def _pick_within(self, band: QRectF, adds: bool) -> None:
        within = self._boxes.within(band) if self._boxes.isVisible() else frozenset()
        self.picked.emit(self._boxes.selected | within if adds else within)

    def _held_at(self, position: QPoint) -> tuple[int, Handle] | None:
        return self._reshaper.grip_at(self._point(position), _GRIP_REACH / self._zoom.value)

    def _point(self, position: QPoint) -> Point:
        point = self._view.mapToScene(position)
        return point.x(), point.y()

    def _show_cursor(self) -> None:
        shape = self._cursor()
        viewport = self._view.viewport()
        if shape is None:
            viewport.unsetCursor()
        else:
            viewport.setCursor(shape)

    def _cursor(self) -> Qt.CursorShape | None:
        """Return the cursor for what a press would do here, or for what is being done."""
        press = self._middle or self._left
        if press is not None and press.is_dragging and isinstance(press.drag, Panning):
            return Qt.CursorShape.ClosedHandCursor
        if self.pans:
            return Qt.CursorShape.OpenHandCursor
        if self._drawing.is_active or self.band is not None:
            return Qt.CursorShape.CrossCursor
        if self._reshaper.handle is not None:
            return _CURSORS[self._reshaper.handle]
        held = None if self.position is None else self._held_at(self.position)
        return None if held is None else _CURSORS[held[1]]
