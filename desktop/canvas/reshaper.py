"""Moving and resizing the selected boxes, by mouse or by key."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from desktop.canvas.boxes_item import BoxesItem
from desktop.canvas.geometry import FAR_CORNER, WHOLE, Handle, Point, Size, grip, resized, shifted
from engine.detect.detection import Box

QUIET_MS = 400
"""Key presses within this time of each other are one change."""


class Reshaper(QObject):
    """Shows the boxes as they would be, and reports the change once, when it is finished.

    Attributes:
        is_editable: Whether anything may be changed.

    Signals:
        previewed: Boxes are drawn elsewhere, or restored.
        reshaped(dict[int, Box]): The new boxes by index, xyxy, image pixels.
    """

    previewed = pyqtSignal()
    reshaped = pyqtSignal(object)

    def __init__(self, boxes: BoxesItem, parent: QObject) -> None:
        super().__init__(parent)
        self.is_editable = True
        self._boxes = boxes
        self._before: dict[int, Box] = {}
        self._now: dict[int, Box] = {}
        self._handle: Handle | None = None
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self.finish)

    @property
    def now(self) -> dict[int, Box]:
        """The boxes that are being changed, as they are drawn."""
        return self._now

    @property
    def before(self) -> dict[int, Box]:
        """The same boxes before the change."""
        return self._before

    @property
    def handle(self) -> Handle | None:
        """The handle that the mouse holds."""
        return self._handle

    @property
    def is_dragging(self) -> bool:
        """Whether the mouse holds a box."""
        return self._handle is not None

    def grip_at(self, point: Point, reach: float) -> tuple[int, Handle] | None:
        """Return the selected box and handle at a point: edges before insides, small boxes first."""
        if not self.is_editable or not self._boxes.isVisible():
            return None
        held = []
        for index, box in self._selected().items():
            handle = grip(box, point, reach)
            if handle is not None:
                held.append((handle == WHOLE, (box[2] - box[0]) * (box[3] - box[1]), index, handle))
        return min(held)[2:] if held else None

    def begin(self, index: int, handle: Handle) -> None:
        """Begin a drag: of all selected boxes by `WHOLE`, else of the edges of one."""
        self.finish()
        selected = self._selected()
        self._before = selected if handle == WHOLE else {index: selected[index]}
        self._now = dict(self._before)
        self._handle = handle

    def drag(self, by: Point) -> None:
        """Move by an offset from the start of the drag, image pixels; boxes follow in whole pixels."""
        if self._handle is not None:
            whole = float(round(by[0])), float(round(by[1]))
            self._show(_changed(self._before, self._handle, whole, self._size))

    def nudge(self, dx: float, dy: float, resize: bool = False) -> None:
        """Move the selected boxes, or their right and bottom edges, by this many image pixels."""
        if not self.is_editable or self.is_dragging or not self._boxes.isVisible():
            return
        if not self._before:
            self._before = self._selected()
        self._show(_changed(self._now or self._before, FAR_CORNER if resize else WHOLE, (dx, dy), self._size))
        self._quiet.start()

    def finish(self) -> None:
        """Report the change, if there is one; the boxes stay as they are drawn until others are shown."""
        if not self._before:
            return
        changed = {index: box for index, box in self._now.items() if box != self._before[index]}
        self._forget()
        if changed:
            self.reshaped.emit(changed)

    def cancel(self) -> bool:
        """Restore the boxes and return whether there was anything to restore."""
        if not self._before:
            return False
        self._boxes.reshape(self._before)
        self._forget()
        return True

    def drop_all(self) -> None:
        """Forget a change that was not reported, because another image is shown."""
        if self._before:
            self._forget()

    def reapply(self) -> None:
        """Apply the change again, because the boxes of the same image were shown again."""
        shown = {index for index in self._before if self._boxes.detection(index) is not None}
        self._before = {index: box for index, box in self._before.items() if index in shown}
        self._now = {index: box for index, box in self._now.items() if index in shown}
        if self._now:
            self._boxes.reshape(self._now)

    @property
    def _size(self) -> Size:
        bounds = self._boxes.boundingRect()
        return bounds.width(), bounds.height()

    def _selected(self) -> dict[int, Box]:
        found = ((index, self._boxes.detection(index)) for index in sorted(self._boxes.selected))
        return {index: detection.box for index, detection in found if detection is not None}

    def _show(self, boxes: dict[int, Box]) -> None:
        self._now = dict(boxes)
        self._boxes.reshape(self._now)
        self.previewed.emit()

    def _forget(self) -> None:
        self._quiet.stop()
        self._before, self._now, self._handle = {}, {}, None
        self.previewed.emit()


def _changed(boxes: dict[int, Box], handle: Handle, by: Point, size: Size) -> dict[int, Box]:
    if handle == WHOLE:
        return shifted(boxes, by, size)
    return {index: resized(box, handle, by, size) for index, box in boxes.items()}
