"""The graphics item that draws all boxes, and which boxes lie under a point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QPointF, QRectF
from PyQt5.QtGui import QColor, QPainter
from PyQt5.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from desktop.canvas.box_lines import Fill, Ink, Sheet, fill, handle_spots, insides, outlines, squares
from desktop.canvas.marks import NOTHING, BoxMarks
from engine.detect.detection import Box, Detection, Detections
from engine.render.palette import LINE_STYLES, label_colour, line_style

_LINE, _SELECTED_LINE, _SHADE_LINE = 2.0, 3.0, 4.0
_SHADE = Ink(QColor(0, 0, 0, 70))
_MOST_SHADED = 300
_HOVER_FILL = 40
_SELECTED_FILL = 26
_REJECTED_ALPHA = 110
_REJECTED_DASHES = (4.0, 3.0)
_ORPHAN_DASHES = (1.0, 1.0)
_HANDLE_SIDE, _HANDLE_EDGE = 7.0, 1.5

Kept = tuple[float, float, list[Fill]]
"""Zoom, pixel ratio, and the fills that were made for them."""


class BoxesItem(QGraphicsItem):
    """Draws all boxes in a few calls, one for each look: a thousand single items would not pan smoothly.

    The rectangles are kept until zoom, boxes or marks change: panning only shifts them.

    Attributes:
        hovered: Index of the one under the pointer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hovered: int | None = None
        self._selected = NOTHING
        self._marks = BoxMarks()
        self._bounds = QRectF()
        self._places: dict[int, int] = {}
        self._detections: list[Detection] = []
        self._boxes: npt.NDArray[np.float32] = np.empty((0, 4), np.float32)
        self._kept: dict[Callable[[Sheet], list[Fill]], Kept] = {}
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)

    def show_detections(self, detections: Detections) -> None:
        """Draw these boxes in place of the former ones."""
        bounds = QRectF(0, 0, detections.width, detections.height)
        if bounds != self._bounds:
            self.prepareGeometryChange()
            self._bounds = bounds
        self._detections = list(detections)
        self._places = {detection.index: place for place, detection in enumerate(self._detections)}
        self._boxes = detections.boxes
        self._draw_anew()

    def reshape(self, boxes: Mapping[int, Box]) -> None:
        """Draw some boxes elsewhere, by index."""
        self._boxes = self._boxes.copy()
        for index in boxes.keys() & self._places.keys():
            place = self._places[index]
            self._boxes[place] = boxes[index]
            self._detections[place] = replace(self._detections[place], box=boxes[index])
        if boxes.keys() <= self._selected:
            self._kept.pop(self._picked, None)
            self.update()
        else:
            self._draw_anew()

    def mark(self, marks: BoxMarks) -> None:
        """Draw the decisions about the boxes."""
        self._marks = marks
        self._draw_anew()

    @property
    def marks(self) -> BoxMarks:
        """The decisions about the boxes."""
        return self._marks

    @property
    def selected(self) -> frozenset[int]:
        """Indices of the detections that are drawn as selected."""
        return self._selected

    @selected.setter
    def selected(self, indices: frozenset[int]) -> None:
        self._selected = indices
        self._draw_anew()

    @property
    def detections(self) -> list[Detection]:
        """The drawn detections, best score first."""
        return self._detections

    def detection(self, index: int) -> Detection | None:
        """Return the drawn detection with an index, if there is one."""
        place = self._places.get(index)
        return None if place is None else self._detections[place]

    def under(self, point: QPointF, tolerance: float) -> list[int]:
        """Return the indices of the boxes within `tolerance` image pixels of `point`, smallest first."""
        x, y = point.x(), point.y()
        boxes = self._boxes
        held = (boxes[:, 0] <= x + tolerance) & (boxes[:, 2] >= x - tolerance)
        held &= (boxes[:, 1] <= y + tolerance) & (boxes[:, 3] >= y - tolerance)
        places = np.flatnonzero(held)
        sizes = boxes[places, 2:] - boxes[places, :2]
        return self._indices(places[np.argsort(sizes.prod(1), kind="stable")])

    def within(self, area: QRectF) -> frozenset[int]:
        """Return the indices of the boxes that lie entirely in `area`, in image pixels."""
        low, high = (area.left(), area.top()), (area.right(), area.bottom())
        held = (self._boxes[:, :2] >= low).all(1) & (self._boxes[:, 2:] <= high).all(1)
        return frozenset(self._indices(np.flatnonzero(held)))

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.save()
        sheet = Sheet(painter)
        sheet.lay(painter)
        fill(painter, self._made(self._quiet, sheet))
        fill(painter, self._made(self._picked, sheet))
        fill(painter, self._pointed(sheet))
        painter.restore()

    def _draw_anew(self) -> None:
        self._kept.clear()
        self.update()

    def _made(self, make: Callable[[Sheet], list[Fill]], sheet: Sheet) -> list[Fill]:
        zoom, ratio, fills = self._kept.get(make, (0.0, 0.0, []))
        if (zoom, ratio) != (sheet.zoom, sheet.ratio):
            fills = make(sheet)
            self._kept[make] = sheet.zoom, sheet.ratio, fills
        return fills

    def _quiet(self, sheet: Sheet) -> list[Fill]:
        """Return every box that is not selected."""
        fills: list[Fill] = []
        for look, placed in self._looks(self._places.keys() - self._selected, sheet):
            fills += outlines(placed, _ink(look), sheet.line_width(_LINE))
        return self._shaded(self._places.keys() - self._selected, sheet) + fills

    def _picked(self, sheet: Sheet) -> list[Fill]:
        """Return the selected boxes with their handles."""
        side, edge = sheet.line_width(_HANDLE_SIDE), sheet.line_width(_HANDLE_EDGE)
        fills = self._shaded(self._selected, sheet)
        handles: list[Fill] = []
        for look, placed in self._looks(self._selected, sheet):
            spots = handle_spots(placed, roomy=4 * side)
            fills += _active(placed, look, _SELECTED_FILL, sheet.line_width(_SELECTED_LINE))
            handles += [squares(spots, side + 2 * edge, _colour(look.label)), squares(spots, side, QColor("white"))]
        return fills + handles

    def _pointed(self, sheet: Sheet) -> list[Fill]:
        """Return the box under the pointer, if it is not selected."""
        detection = None if self.hovered is None else self.detection(self.hovered)
        if detection is None or detection.index in self._selected:
            return []
        placed = sheet.placed(np.array([detection.box], np.float32))
        return _active(placed, self._look(detection), _HOVER_FILL, sheet.line_width(_LINE))

    def _shaded(self, indices: AbstractSet[int], sheet: Sheet) -> list[Fill]:
        """Return a dark shade around the lines, which makes them visible on any image; none for many boxes."""
        if len(self._detections) > _MOST_SHADED:
            return []
        places = self._places_of(indices - self._marks.rejected)
        return outlines(sheet.placed(self._boxes[places]), _SHADE, sheet.line_width(_SHADE_LINE))

    def _looks(self, indices: AbstractSet[int], sheet: Sheet) -> Iterator[tuple[_Look, npt.NDArray[np.int64]]]:
        """Return the boxes of each look, in screen pixels."""
        alike: dict[_Look, list[int]] = defaultdict(list)
        for place in self._places_of(indices):
            alike[self._look(self._detections[place])].append(place)
        for look, places in alike.items():
            yield look, sheet.placed(self._boxes[places])

    def _look(self, detection: Detection) -> _Look:
        return _Look(detection.label, detection.index in self._marks.rejected, detection.index in self._marks.orphans)

    def _places_of(self, indices: AbstractSet[int]) -> list[int]:
        return sorted(self._places[index] for index in indices & self._places.keys())

    def _indices(self, places: npt.NDArray[np.intp]) -> list[int]:
        return [self._detections[place].index for place in places.tolist()]


class _Look(NamedTuple):
    label: str
    is_rejected: bool
    is_orphan: bool


def _active(placed: npt.NDArray[np.int64], look: _Look, alpha: int, width: int) -> list[Fill]:
    faint = _colour(look.label)
    faint.setAlpha(alpha)
    return [insides(placed, faint), *outlines(placed, _ink(look), width)]


def _ink(look: _Look) -> Ink:
    colour = _colour(look.label)
    if look.is_rejected:
        colour.setAlpha(_REJECTED_ALPHA)
    if look.is_orphan:
        return Ink(colour, _ORPHAN_DASHES)
    return Ink(colour, _REJECTED_DASHES if look.is_rejected else LINE_STYLES[line_style(look.label)])


def _colour(label: str) -> QColor:
    return QColor(*label_colour(label))
