"""Lines of boxes as filled rectangles of whole screen pixels, which are much faster to paint than strokes of a pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap

import numpy as np
import numpy.typing as npt
from PyQt5.QtCore import QRect, QSize, Qt
from PyQt5.QtGui import QBrush, QColor, QImage, QPainter, QTransform

Dashes = tuple[float, ...]
"""Lengths of stroke and gap in turn, in line widths; empty for a solid line."""

_TILE_LENGTH = 256
_TILE_BREADTH = 8
_FAR = 1 << 28


@dataclass(frozen=True, slots=True)
class Fill:
    """Rectangles with one brush.

    Attributes:
        brush: Fills them.
        rects: In pixels of the screen, from the image's corner.
    """

    brush: QBrush
    rects: list[QRect]


@dataclass(frozen=True, slots=True)
class Ink:
    """The look of a line.

    Attributes:
        colour: Its colour, with its opacity.
        dashes: Its pattern.
    """

    colour: QColor
    dashes: Dashes = ()


class Sheet:
    """The coordinates of screen pixels with the image's corner as origin, while an item is painted.

    Attributes:
        ratio: Pixels of the screen for each logical one.
        zoom: Pixels of the screen for each of the image.
    """

    def __init__(self, painter: QPainter) -> None:
        device = painter.device()
        self.ratio = device.devicePixelRatioF() if device is not None else 1.0
        self._to_view = painter.worldTransform()
        self.zoom = self._to_view.m11() * self.ratio

    def lay(self, painter: QPainter) -> None:
        """Set the painter to these coordinates."""
        across, down = round(self._to_view.dx() * self.ratio), round(self._to_view.dy() * self.ratio)
        scale = 1 / self.ratio
        painter.setWorldTransform(QTransform(scale, 0, 0, scale, across * scale, down * scale))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def line_width(self, logical: float) -> int:
        """Return a width in logical pixels as screen pixels."""
        return max(1, round(logical * self.ratio))

    def placed(self, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """Return boxes of the image, [N, 4], in these coordinates."""
        return np.rint(np.clip(boxes.astype(np.float64) * self.zoom, -_FAR, _FAR)).astype(np.int64)


def outlines(placed: npt.NDArray[np.int64], ink: Ink, width: int) -> list[Fill]:
    """Return the lines around boxes.

    Args:
        placed: [N, 4], xyxy, pixels of the screen.
        ink: How the lines look.
        width: Of the lines, pixels of the screen.
    """
    half = width // 2
    left, top, right, bottom = (placed - half).T
    long, high = right - left + width, np.maximum(bottom - top - width, 0)
    wide = np.full_like(left, width)
    level = rects(np.concatenate([_columns(left, top, long, wide), _columns(left, bottom, long, wide)]))
    upright = rects(np.concatenate([_columns(left, top + width, wide, high), _columns(right, top + width, wide, high)]))
    if not ink.dashes:
        return [Fill(QBrush(ink.colour), level + upright)]
    colour = ink.colour.rgba()
    return [
        Fill(_dashed(colour, ink.dashes, width, Qt.Orientation.Horizontal), level),
        Fill(_dashed(colour, ink.dashes, width, Qt.Orientation.Vertical), upright),
    ]


def insides(placed: npt.NDArray[np.int64], colour: QColor) -> Fill:
    """Return the areas of boxes."""
    left, top, right, bottom = placed.T
    return Fill(QBrush(colour), rects(_columns(left, top, right - left, bottom - top)))


def squares(middles: npt.NDArray[np.int64], side: int, colour: QColor) -> Fill:
    """Return squares around points, [N, 2]."""
    left, top = (middles - side // 2).T
    sides = np.full_like(left, side)
    return Fill(QBrush(colour), rects(_columns(left, top, sides, sides)))


def handle_spots(placed: npt.NDArray[np.int64], roomy: int) -> npt.NDArray[np.int64]:
    """Return the positions of handles, [M, 2]: eight a box, or four where a side is shorter than `roomy`."""
    left, top, right, bottom = placed.T
    columns, rows = (left, (left + right) // 2, right), (top, (top + bottom) // 2, bottom)
    spots = [_columns(x, y) for x in columns[::2] for y in rows[::2]]
    large = np.minimum(right - left, bottom - top) >= roomy
    between = [(columns[1], rows[0]), (columns[1], rows[2]), (columns[0], rows[1]), (columns[2], rows[1])]
    return np.concatenate(spots + [_columns(x, y)[large] for x, y in between])


def fill(painter: QPainter, fills: Sequence[Fill]) -> None:
    """Paint rectangles, one call a brush."""
    painter.setPen(Qt.PenStyle.NoPen)
    for each in fills:
        painter.setBrush(each.brush)
        painter.drawRects(each.rects)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def rects(corners: npt.NDArray[np.int64]) -> list[QRect]:
    """[N, 4] of left, top, width and height as what Qt paints."""
    return list(starmap(QRect, corners.tolist()))


def _columns(*columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.stack(columns, 1)


@lru_cache(maxsize=256)
def _dashed(colour: int, dashes: Dashes, width: int, along: Qt.Orientation) -> QBrush:
    """A brush that breaks lines; many periods in one tile, since Qt paints tile by tile."""
    lengths = [max(1, round(length * width)) for length in dashes]
    period = sum(lengths)
    length = period * max(1, _TILE_LENGTH // period)
    is_level = along == Qt.Orientation.Horizontal
    size = QSize(length, _TILE_BREADTH) if is_level else QSize(_TILE_BREADTH, length)
    tile = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    tile.fill(Qt.GlobalColor.transparent)
    painter = QPainter(tile)
    at = 0
    while at < length:
        for stroke, gap in zip(lengths[::2], lengths[1::2], strict=True):
            part = QRect(at, 0, stroke, _TILE_BREADTH) if is_level else QRect(0, at, _TILE_BREADTH, stroke)
            painter.fillRect(part, QColor.fromRgba(colour))
            at += stroke + gap
    painter.end()
    return QBrush(tile)
