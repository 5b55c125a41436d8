"""Labels of boxes, and signs where there is no room for a label."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QPointF, QRectF, QTimer, pyqtSignal
from PyQt5.QtGui import QFont, QPainter, QTransform

from desktop.canvas.boxes_item import BoxesItem
from desktop.canvas.labels import Labels, opacity_at
from engine.detect.detection import Box

_SETTLE_MS = 60
_PLACED_AT_ONCE = 60
_TOO_FAINT = 0.3
_SMALLEST_SIGNED = 12.0


class Foreground(QObject):
    """Paints labels and signs in a constant size on the screen.

    Attributes:
        label_opacity: Of labels, 0..1.

    Signals:
        changed: Paint again.
    """

    changed = pyqtSignal()

    def __init__(self, boxes: BoxesItem, parent: QObject) -> None:
        super().__init__(parent)
        self.label_opacity = 1.0
        self._boxes = boxes
        self._labels = Labels()
        self._is_stale = True
        self._is_carried = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self.place_anew)

    def set_font(self, font: QFont) -> None:
        """Use this font."""
        self._labels.set_font(font)
        self.place_anew()

    def place_anew(self) -> None:
        """Lay out the labels again before they are painted next, because boxes or labels have changed."""
        self._is_stale = True
        self.changed.emit()

    def show_label(self, index: int | None) -> None:
        """Lay out again with the label of the hovered detection, unless it has one."""
        if index is not None and all(label.index != index for label in self._labels.placed):
            self.place_anew()

    def follow(self) -> None:
        """Follow a moved view: labels move with the image; many labels are laid out again a little later."""
        if len(self._boxes.detections) <= _PLACED_AT_ONCE:
            self._is_stale = True
        else:
            self._timer.start()

    def carry(self, before: dict[int, Box], now: dict[int, Box]) -> None:
        """Move labels with the boxes that are dragged, and keep all others where they are until the drag ends."""
        offsets = {index: QPointF(box[0] - before[index][0], box[1] - before[index][1]) for index, box in now.items()}
        self._labels.carry(offsets)
        self._is_carried = bool(now)
        if not now:
            self.place_anew()

    def paint(self, painter: QPainter, to_view: QTransform, seen: QRectF) -> None:
        """Paint the visible labels in view coordinates; none where the image is very small on the screen."""
        clear = opacity_at(to_view.mapRect(self._boxes.boundingRect()))
        if clear == 0:
            return
        painter.save()
        painter.resetTransform()
        self._place(to_view, seen)
        painter.setOpacity(clear)
        self._paint_signs(painter, to_view, seen)
        painter.setOpacity(clear * self.label_opacity)
        if self.label_opacity > 0:
            self._labels.paint(painter, to_view, self._active)
        painter.restore()

    def rects(self, to_view: QTransform, seen: QRectF) -> dict[int, QRectF]:
        """Return the rectangles of labels in the view, by the index of their detection."""
        self._place(to_view, seen)
        return self._labels.rects(to_view)

    @property
    def _active(self) -> frozenset[int]:
        hovered = self._boxes.hovered
        return self._boxes.selected if hovered is None else self._boxes.selected | {hovered}

    def _place(self, to_view: QTransform, seen: QRectF) -> None:
        if self._is_stale and not self._is_carried:
            boxes = self._boxes
            self._labels.place(boxes.detections, boxes.marks, self._active, to_view, seen)
            self._is_stale = False

    def _paint_signs(self, painter: QPainter, to_view: QTransform, seen: QRectF) -> None:
        """Paint the signs of boxes without a label, below the labels of others."""
        labels = self._labels.placed if self.label_opacity >= _TOO_FAINT else []
        zoom, across, down = to_view.m11(), to_view.dx(), to_view.dy()
        marks = self._boxes.marks
        for index in marks.signed - {label.index for label in labels}:
            detection = self._boxes.detection(index)
            if detection is None:
                continue
            xmin, ymin, xmax, ymax = detection.box
            corner = QPointF(xmax * zoom + across, ymin * zoom + down)
            if max(xmax - xmin, ymax - ymin) * zoom >= _SMALLEST_SIGNED and seen.contains(corner):
                self._labels.paint_badge(painter, detection, marks, corner)
