"""Layout and painting of labels: a constant size on the screen, not over each other while there is room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSizeF
from PyQt5.QtGui import QFont, QPainter, QTransform

from desktop.canvas.label_art import LabelArt, Lettering
from desktop.canvas.marks import BoxMarks
from engine.detect.detection import Box, Detection
from engine.render.label_layout import place_labels
from engine.render.palette import label_colour

_MOST = 250
_LEGIBLE_SIDE = 240.0
_INVISIBLE_SIDE = 80.0
_COVERED_TOO_MUCH = 0.35


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """A label and its place.

    Attributes:
        index: Of its detection.
        lettering: Its content.
        corner: Its top left corner in the scene: it moves with the image until the next layout.
        size: On the screen, pixels.
    """

    index: int
    lettering: Lettering
    corner: QPointF
    size: QSizeF


@dataclass(frozen=True)
class _Layout:
    """A layout of labels, in the order of their detections.

    Attributes:
        context: What all places depend on: the transform, the visible area, the indices of labels kept in any case.
        labels: Index, box on the screen and lettering of each.
        rects: Where each label is on the screen, xyxy.
        kept: Places in `labels` of those that no better label covers.
    """

    context: tuple[QTransform, QRectF, frozenset[int]] | None = None
    labels: Sequence[tuple[int, Box, Lettering]] = ()
    rects: Sequence[Box] = ()
    kept: Sequence[int] = ()


class Labels:
    """Places the labels of boxes on the screen and paints them.

    Attributes:
        placed: The labels of the last layout, best score first.
    """

    def __init__(self) -> None:
        self.placed: list[PlacedLabel] = []
        self._art = LabelArt(QFont())
        self._carried: Mapping[int, QPointF] = {}
        self._layout = _Layout()

    def set_font(self, font: QFont) -> None:
        """Use `font` from the next layout on."""
        self._art = LabelArt(font)
        self._layout = _Layout()

    def place(
        self,
        detections: Sequence[Detection],
        marks: BoxMarks,
        active: frozenset[int],
        to_view: QTransform,
        seen: QRectF,
    ) -> None:
        """Lay out the labels of the visible `detections`.

        A label depends only on those before it. Where the first ones are those of the last layout, as while a
        threshold is moved, they keep their places and only the others are laid out.

        Args:
            detections: Best score first.
            marks: What was decided about them.
            active: Indices of those whose labels are shown even where they cover others.
            to_view: From the scene to the screen.
            seen: The visible area of the screen, pixels.
        """
        self._carried = {}
        shown, boxes = _within(detections, active, to_view, seen)
        lettered = [_lettering(detection, marks) for detection in shown]
        labels = [(each.index, box, text) for each, box, text in zip(shown, boxes, lettered, strict=True)]
        context = (to_view, seen, active)
        same = _common(labels, self._layout.labels) if context == self._layout.context else 0
        rects = list(self._layout.rects[:same])
        sizes = [self._art.size(lettering) for lettering in lettered[same:]]
        bounds = (seen.left(), seen.top(), seen.right(), seen.bottom())
        corners = place_labels(boxes[same:], sizes, bounds, rects)
        rects += [(x, y, x + width, y + height) for (x, y), (width, height) in zip(corners, sizes, strict=True)]
        kept = [at for at in self._layout.kept if at < same]
        kept += _readable(rects, [detection.index in active for detection in shown], kept, same)
        self._layout = _Layout(context, labels, rects, kept)
        to_scene = to_view.inverted()[0]
        self.placed = [
            PlacedLabel(
                shown[at].index,
                lettered[at],
                to_scene.map(QPointF(*rects[at][:2])),
                QSizeF(*self._art.size(lettered[at])),
            )
            for at in kept
        ]

    def carry(self, offsets: Mapping[int, QPointF]) -> None:
        """Offset the labels of some boxes, in scene units, until the next layout."""
        self._carried = offsets

    def rects(self, to_view: QTransform) -> dict[int, QRectF]:
        """Return the rectangle of each label on the screen, by the index of its detection."""
        return {label.index: QRectF(self._corner(label, to_view), label.size) for label in self.placed}

    def paint(self, painter: QPainter, to_view: QTransform, active: frozenset[int]) -> None:
        """Paint the labels in screen coordinates, the `active` ones last."""
        for label in sorted(self.placed, key=lambda label: label.index in active):
            self._art.paint(painter, label.lettering, self._corner(label, to_view))

    def paint_badge(self, painter: QPainter, detection: Detection, marks: BoxMarks, middle: QPointF) -> None:
        """Paint the sign of a box without a label, in screen coordinates."""
        self._art.paint_badge(painter, _lettering(detection, marks), middle)

    def _corner(self, label: PlacedLabel, to_view: QTransform) -> QPointF:
        return to_view.map(label.corner + self._carried.get(label.index, QPointF()))


def opacity_at(image_on_screen: QRectF) -> float:
    """Return the opacity of labels, 0..1: 0 where the image is so small on the screen that they would cover it."""
    side = min(image_on_screen.width(), image_on_screen.height())
    return min(1.0, max(0.0, (side - _INVISIBLE_SIDE) / (_LEGIBLE_SIDE - _INVISIBLE_SIDE)))


def _lettering(detection: Detection, marks: BoxMarks) -> Lettering:
    """Return the content of a label; a box that a person added has no score."""
    index = detection.index
    score = None if index in marks.added else round(detection.score, 2)
    colour = label_colour(detection.label)
    return Lettering(detection.label, score, colour, marks.sign_of(index), index in marks.rejected)


def _within(
    detections: Iterable[Detection], active: frozenset[int], to_view: QTransform, seen: QRectF
) -> tuple[list[Detection], list[Box]]:
    """Return the best detections on the screen, with the `active` ones, and the visible parts of their boxes."""
    zoom, left, top = to_view.m11(), to_view.dx(), to_view.dy()
    left_edge, top_edge, right_edge, bottom_edge = seen.getCoords()
    shown: list[Detection] = []
    boxes: list[Box] = []
    for detection in detections:
        xmin, ymin, xmax, ymax = detection.box
        xmin, xmax = max(xmin * zoom + left, left_edge), min(xmax * zoom + left, right_edge)
        ymin, ymax = max(ymin * zoom + top, top_edge), min(ymax * zoom + top, bottom_edge)
        if xmin <= xmax and ymin <= ymax and (len(shown) < _MOST or detection.index in active):
            shown.append(detection)
            boxes.append((xmin, ymin, xmax, ymax))
    return shown, boxes


def _common(labels: Sequence[object], others: Sequence[object]) -> int:
    """Return how many labels at the beginning of both lists are equal."""
    at = next((at for at, (one, other) in enumerate(zip(labels, others, strict=False)) if one != other), None)
    return min(len(labels), len(others)) if at is None else at


def _readable(boxes: Sequence[Box], wanted: Sequence[bool], kept: Sequence[int], first: int) -> list[int]:
    """Return the places, from `first` on, of labels that no better one covers, and of those that are `wanted`.

    Args:
        boxes: Where the labels are, xyxy, best first.
        wanted: Which of them stay in any case.
        kept: Places before `first` of the labels that stay.
        first: The first place to decide about.
    """
    every = np.array(boxes, np.float64).reshape(-1, 4)
    mine = every[first:, None, :]
    room = (mine[..., 2] - mine[..., 0]) * (mine[..., 3] - mine[..., 1]) * _COVERED_TOO_MUCH
    common = np.minimum(mine[..., 2:], every[:, 2:]) - np.maximum(mine[..., :2], every[:, :2])
    covers = np.prod(np.maximum(common, 0), axis=2) > room
    stays = np.zeros(len(every), bool)
    stays[list(kept)] = True
    for at in range(first, len(every)):
        stays[at] = wanted[at] or not (covers[at - first] & stays).any()
    return (first + np.flatnonzero(stays[first:])).tolist()
