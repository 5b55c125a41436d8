"""All boxes of an image as one item of the scene, and which of them lie under a point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPen
from PyQt5.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from engine.detect.detection import Detection, Detections
from engine.palette import LINE_STYLES, label_colour, line_style

_PEN_WIDTH = 2.0
_SELECTED_PEN_WIDTH = 3.0
_SHADE = 70
_MOST_SHADED = 300
_HOVER_FILL = 40
_SELECTED_FILL = 26
_REJECTED_ALPHA = 110
_HANDLE_SIDE = 7.0
_FAR_OFF = 2000.0
_REJECTED_DASHES = (4.0, 3.0)
_NOTHING: frozenset[int] = frozenset()


class BoxesItem(QGraphicsItem):
    """Draws the boxes in a few calls, one for each class: a thousand single items would not pan smoothly.

    Attributes:
        selected: Indices of the detections that are drawn as selected.
        hovered: Index of the one under the pointer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.selected = _NOTHING
        self.hovered: int | None = None
        self._rejected = _NOTHING
        self._added = _NOTHING
        self._bounds = QRectF()
        self._places: dict[int, int] = {}
        self._detections: list[Detection] = []
        self._boxes: npt.NDArray[np.float32] = np.empty((0, 4), np.float32)
        self._areas: npt.NDArray[np.float32] = np.empty(0, np.float32)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)

    def show_detections(self, detections: Detections) -> None:
        """Draw these, and no others."""
        bounds = QRectF(0, 0, detections.width, detections.height)
        if bounds != self._bounds:
            self.prepareGeometryChange()
            self._bounds = bounds
        self._detections = list(detections)
        self._places = {detection.index: place for place, detection in enumerate(self._detections)}
        self._boxes = detections.boxes
        self._areas = (self._boxes[:, 2] - self._boxes[:, 0]) * (self._boxes[:, 3] - self._boxes[:, 1])
        self.update()

    def mark(self, rejected: frozenset[int], added: frozenset[int]) -> None:
        """Draw the rejected ones dashed and dim, the added ones with a dot."""
        self._rejected, self._added = rejected, added
        self.update()

    @property
    def detections(self) -> list[Detection]:
        """Those that are drawn, best score first."""
        return self._detections

    def detection(self, index: int) -> Detection | None:
        """The detection of that index, if it is shown."""
        place = self._places.get(index)
        return None if place is None else self._detections[place]

    def under(self, point: QPointF, tolerance: float) -> list[int]:
        """Indices of the boxes that hold `point` give or take `tolerance` pixels of the image, smallest first."""
        x, y = point.x(), point.y()
        boxes = self._boxes
        held = (boxes[:, 0] <= x + tolerance) & (boxes[:, 2] >= x - tolerance)
        held &= (boxes[:, 1] <= y + tolerance) & (boxes[:, 3] >= y - tolerance)
        places = np.flatnonzero(held)
        by_area = places[np.argsort(self._areas[places], kind="stable")]
        return [self._detections[place].index for place in by_area.tolist()]

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.Antialiasing, False)
        pixel = 1 / painter.worldTransform().m11()
        rects = self._rects_near(option.exposedRect, _FAR_OFF * pixel)
        self._paint_quiet(painter, rects)
        for index in self.selected | ({self.hovered} if self.hovered is not None else _NOTHING):
            place = self._places.get(index)
            if place is not None:
                self._paint_lively(painter, self._detections[place], rects[place], pixel)
        self._paint_dots(painter, pixel)

    def _rects_near(self, seen: QRectF, margin: float) -> list[QRectF]:
        """The boxes, with what lies far outside the view drawn nearer: dashes cost time by their length."""
        low = np.array([seen.left() - margin, seen.top() - margin] * 2, np.float32)
        high = np.array([seen.right() + margin, seen.bottom() + margin] * 2, np.float32)
        near = np.clip(self._boxes, low, high).tolist()
        return [QRectF(xmin, ymin, xmax - xmin, ymax - ymin) for xmin, ymin, xmax, ymax in near]

    def _paint_quiet(self, painter: QPainter, rects: list[QRectF]) -> None:
        groups: dict[tuple[str, bool], list[QRectF]] = defaultdict(list)
        for detection, rect in zip(self._detections, rects, strict=True):
            groups[detection.label, detection.index in self._rejected].append(rect)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if len(rects) <= _MOST_SHADED:
            painter.setPen(_plain_pen(painter, QColor(0, 0, 0, _SHADE), _PEN_WIDTH + 2))
            painter.drawRects([rect for (_, rejected), members in groups.items() if not rejected for rect in members])
        for (label, rejected), members in groups.items():
            painter.setPen(_pen(painter, label, rejected, _PEN_WIDTH))
            painter.drawRects(members)

    def _paint_lively(self, painter: QPainter, detection: Detection, rect: QRectF, pixel: float) -> None:
        selected = detection.index in self.selected
        fill = QColor(*label_colour(detection.label))
        fill.setAlpha(_HOVER_FILL if detection.index == self.hovered else _SELECTED_FILL)
        painter.fillRect(rect, fill)
        painter.setPen(_pen(painter, detection.label, False, _SELECTED_PEN_WIDTH if selected else _PEN_WIDTH))
        painter.drawRect(rect)
        if selected:
            self._paint_handles(painter, detection, rect, pixel)

    def _paint_handles(self, painter: QPainter, detection: Detection, rect: QRectF, pixel: float) -> None:
        middle = rect.center()
        columns, rows = (rect.left(), middle.x(), rect.right()), (rect.top(), middle.y(), rect.bottom())
        side = _HANDLE_SIDE * pixel
        room = min(rect.width(), rect.height()) > 4 * side
        points = _around(columns, rows) if room else _corners(columns, rows)
        painter.setBrush(QColor("white"))
        painter.setPen(_plain_pen(painter, QColor(*label_colour(detection.label)), 1.5))
        painter.drawRects([QRectF(x - side / 2, y - side / 2, side, side) for x, y in points])
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_dots(self, painter: QPainter, pixel: float) -> None:
        painter.setRenderHint(QPainter.Antialiasing, True)
        for index in self._added & self._places.keys():
            detection = self._detections[self._places[index]]
            painter.setBrush(QColor(*label_colour(detection.label)))
            painter.setPen(_plain_pen(painter, QColor("white"), 1.5))
            painter.drawEllipse(QPointF(detection.box[2], detection.box[1]), 4.5 * pixel, 4.5 * pixel)


def _pen(painter: QPainter, label: str, rejected: bool, width: float) -> QPen:
    colour = QColor(*label_colour(label))
    if rejected:
        colour.setAlpha(_REJECTED_ALPHA)
    pen = _plain_pen(painter, colour, width)
    dashes = _REJECTED_DASHES if rejected else LINE_STYLES[line_style(label)]
    if dashes:
        pen.setDashPattern(dashes)
    return pen


def _plain_pen(painter: QPainter, colour: QColor, width: float) -> QPen:
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    pen = QPen(colour, width * ratio)
    pen.setCosmetic(True)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    return pen


Spots = tuple[float, float, float]


def _corners(columns: Spots, rows: Spots) -> Iterable[tuple[float, float]]:
    return [(x, y) for x in columns[::2] for y in rows[::2]]


def _around(columns: Spots, rows: Spots) -> Iterable[tuple[float, float]]:
    return [(x, y) for x in columns for y in rows if (x, y) != (columns[1], rows[1])]
