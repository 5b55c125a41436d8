"""Geometry of boxes that are drawn, moved and resized; results lie inside the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from engine.detect.detection import Box

Point = tuple[float, float]
"""x, y in pixels of the image."""

Size = tuple[float, float]
"""Width and height of the image, pixels."""

SMALLEST_DRAWN = 2.0
"""Pixels of the image that a box has at least on each side, to be meant."""

_SMALLEST_RESIZED = 1.0


class Handle(NamedTuple):
    """The edges of a box that follow the pointer.

    Attributes:
        across: -1 for the left edge, 1 for the right one, 0 for neither.
        down: -1 for the top edge, 1 for the bottom one, 0 for neither.
    """

    across: int
    down: int


WHOLE = Handle(0, 0)
"""The box itself: all edges move."""

FAR_CORNER = Handle(1, 1)
"""The right and the bottom edge."""


def grip(box: Box, point: Point, reach: float) -> Handle | None:
    """Return the handle of `box` at `point`; `None` beyond `reach` pixels of it.

    Inside a small box the edges reach less far, so that there is always a middle by which to move it.
    """
    across = _part(point[0], box[0], box[2], reach)
    down = _part(point[1], box[1], box[3], reach)
    return None if across is None or down is None else Handle(across, down)


def shifted(boxes: Mapping[int, Box], by: Point, size: Size) -> dict[int, Box]:
    """Return all `boxes` moved by the same offset, as far as none of them leaves the image."""
    if not boxes:
        return {}
    lefts, tops, rights, bottoms = zip(*boxes.values(), strict=True)
    right = _between(-min(lefts), by[0], size[0] - max(rights))
    down = _between(-min(tops), by[1], size[1] - max(bottoms))
    return {
        index: inside((xmin + right, ymin + down, xmax + right, ymax + down), size)
        for index, (xmin, ymin, xmax, ymax) in boxes.items()
    }


def resized(box: Box, handle: Handle, by: Point, size: Size) -> Box:
    """Return `box` with the edges of `handle` moved, inside the image, at least one pixel wide and high."""
    xmin, xmax = _stretched(box[0], box[2], handle.across, by[0], size[0])
    ymin, ymax = _stretched(box[1], box[3], handle.down, by[1], size[1])
    return xmin, ymin, xmax, ymax


def spanned(one: Point, other: Point, size: Size) -> Box:
    """Return the box between two points, in whole pixels and inside the image."""
    (x0, y0), (x1, y1) = one, other
    edges = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    xmin, ymin, xmax, ymax = (float(round(edge)) for edge in edges)
    return inside((xmin, ymin, xmax, ymax), size)


def is_intended(box: Box) -> bool:
    """Return whether a drawn box is large enough to be intended."""
    return box[2] - box[0] >= SMALLEST_DRAWN and box[3] - box[1] >= SMALLEST_DRAWN


def inside(box: Box, size: Size) -> Box:
    """Return the part of `box` inside the image."""
    width, height = size
    xmin, xmax = _between(0.0, box[0], width), _between(0.0, box[2], width)
    return xmin, _between(0.0, box[1], height), xmax, _between(0.0, box[3], height)


def _part(at: float, low: float, high: float, reach: float) -> int | None:
    if not low - reach <= at <= high + reach:
        return None
    inner = min(reach, (high - low) / 4)
    if at <= low + inner:
        return -1
    return 1 if at >= high - inner else 0


def _stretched(low: float, high: float, side: int, by: float, limit: float) -> tuple[float, float]:
    if side < 0:
        low = _between(0.0, low + by, max(0.0, min(high - _SMALLEST_RESIZED, limit)))
    elif side > 0:
        high = _between(min(low + _SMALLEST_RESIZED, limit), high + by, limit)
    return low, high


def _between(low: float, value: float, high: float) -> float:
    return min(max(low, value), high)
