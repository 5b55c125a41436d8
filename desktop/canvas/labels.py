"""The labels of boxes: always the same size on the screen, never over each other while there is room."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QPainter, QTransform

from engine.detect.detection import Box, Detection
from engine.label_layout import place_labels
from engine.palette import label_colour, text_colour_on

_PADDING = 5.0
_WIDEST = 220.0
_MOST = 250
_LEGIBLE_SIDE = 240.0
_INVISIBLE_SIDE = 80.0
_COVERED_TOO_MUCH = 0.35
_ROUND = 3.0
_DIM = 0.65


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """A label and where it is.

    Attributes:
        index: Of its detection.
        text: What it says.
        colour: Of its detection's class.
        corner: Its top left corner in the scene, so that it moves with the image until it is placed anew.
        size: On the screen, pixels.
    """

    index: int
    text: str
    colour: tuple[int, int, int]
    corner: QPointF
    size: QSizeF


class Labels:
    """Places the labels of boxes on the screen and paints them.

    Attributes:
        placed: The labels of the last layout, best score first.
    """

    def __init__(self) -> None:
        self.placed: list[PlacedLabel] = []
        self._font = QFont()
        self._texts: dict[tuple[str, float], tuple[str, QSizeF]] = {}

    def set_font(self, font: QFont) -> None:
        """Use `font` from the next layout on."""
        self._font = font
        self._texts.clear()

    def place(self, detections: Sequence[Detection], lively: frozenset[int], to_view: QTransform, seen: QRectF) -> None:
        """Lay out the labels of those `detections` that can be seen.

        Args:
            detections: Best score first.
            lively: Indices of those whose labels are shown even where they cover others.
            to_view: From the scene to the screen.
            seen: What the screen shows, pixels.
        """
        shown, boxes = _within(detections, lively, to_view, seen)
        lettered = [self._text(detection) for detection in shown]
        sizes = [(size.width(), size.height()) for _, size in lettered]
        corners = place_labels(boxes, sizes, (seen.left(), seen.top(), seen.right(), seen.bottom()))
        rects = [(x, y, x + width, y + height) for (x, y), (width, height) in zip(corners, sizes, strict=True)]
        kept = _readable(rects, [detection.index in lively for detection in shown])
        to_scene = to_view.inverted()[0]
        self.placed = [
            PlacedLabel(
                shown[at].index,
                lettered[at][0],
                label_colour(shown[at].label),
                to_scene.map(QPointF(*corners[at])),
                lettered[at][1],
            )
            for at in kept
        ]

    def rects(self, to_view: QTransform) -> dict[int, QRectF]:
        """Where each label is on the screen, by the index of its detection."""
        return {label.index: QRectF(to_view.map(label.corner), label.size) for label in self.placed}

    def paint(self, painter: QPainter, to_view: QTransform, lively: frozenset[int], dim: frozenset[int]) -> None:
        """Draw the labels in screen coordinates, the `lively` ones last."""
        painter.setFont(self._font)
        painter.setRenderHint(QPainter.Antialiasing, True)
        opacity = painter.opacity()
        for label in sorted(self.placed, key=lambda label: label.index in lively):
            rect = QRectF(to_view.map(label.corner), label.size)
            painter.setOpacity(opacity * (_DIM if label.index in dim else 1.0))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(*label.colour))
            painter.drawRoundedRect(rect, _ROUND, _ROUND)
            painter.setPen(QColor(*text_colour_on(label.colour)))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, label.text)
        painter.setOpacity(opacity)

    def _text(self, detection: Detection) -> tuple[str, QSizeF]:
        key = (detection.label, round(detection.score, 2))
        known = self._texts.get(key)
        if known is None:
            known = self._texts[key] = self._lettered(detection)
        return known

    def _lettered(self, detection: Detection) -> tuple[str, QSizeF]:
        metrics = QFontMetricsF(self._font)
        label = metrics.elidedText(" ".join(detection.label.split()), Qt.TextElideMode.ElideMiddle, _WIDEST)
        text = f"{label} {detection.score:.2f}"
        return text, QSizeF(round(metrics.horizontalAdvance(text) + 2 * _PADDING), round(metrics.height() + 4))


def opacity_at(image_on_screen: QRectF) -> float:
    """How clearly labels are drawn: 0 where the image is so small on the screen that they would bury it."""
    side = min(image_on_screen.width(), image_on_screen.height())
    return min(1.0, max(0.0, (side - _INVISIBLE_SIDE) / (_LEGIBLE_SIDE - _INVISIBLE_SIDE)))


def described(detection: Detection) -> str:
    """Label, score and size; the label comes from a checkpoint and must not be read as markup."""
    xmin, ymin, xmax, ymax = detection.box
    label = html.escape(" ".join(detection.label.split()))
    return f"<b>{label}</b> {detection.score:.2f}<br>{xmax - xmin:.0f} × {ymax - ymin:.0f} px"


def _within(
    detections: Iterable[Detection], lively: frozenset[int], to_view: QTransform, seen: QRectF
) -> tuple[list[Detection], list[Box]]:
    """The best of those whose boxes are on the screen, the `lively` ones, and what is seen of the boxes there."""
    zoom, left, top = to_view.m11(), to_view.dx(), to_view.dy()
    left_edge, top_edge, right_edge, bottom_edge = seen.getCoords()
    shown: list[Detection] = []
    boxes: list[Box] = []
    for detection in detections:
        xmin, ymin, xmax, ymax = detection.box
        xmin, xmax = max(xmin * zoom + left, left_edge), min(xmax * zoom + left, right_edge)
        ymin, ymax = max(ymin * zoom + top, top_edge), min(ymax * zoom + top, bottom_edge)
        if xmin <= xmax and ymin <= ymax and (len(shown) < _MOST or detection.index in lively):
            shown.append(detection)
            boxes.append((xmin, ymin, xmax, ymax))
    return shown, boxes


def _readable(boxes: Sequence[Box], wanted: Sequence[bool]) -> list[int]:
    """Places of the labels that no better one covers; those that are `wanted` stay in any case."""
    every = np.array(boxes, np.float64).reshape(-1, 4)
    room = (every[:, 2] - every[:, 0]) * (every[:, 3] - every[:, 1]) * _COVERED_TOO_MUCH
    kept: list[int] = []
    for at, box in enumerate(every):
        better = every[kept]
        common = np.minimum(box[2:], better[:, 2:]) - np.maximum(box[:2], better[:, :2])
        covered = np.prod(np.maximum(common, 0), axis=1)
        if wanted[at] or not (covered > room[at]).any():
            kept.append(at)
    return kept
