"""Placement of labels beside boxes, for the canvas and for annotated images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Box

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_OUT_OF_BOUNDS = 1e30
_LEVELS = 3
"""Largest distance of a label from its box, in label heights."""


def place_labels(
    boxes: Sequence[Box], sizes: Sequence[tuple[float, float]], bounds: Box, placed: Sequence[Box] = ()
) -> list[tuple[float, float]]:
    """Return the top left corner of each label, in the order of `boxes`; earlier labels take precedence.

    A label is placed above its box if there is room, else below, beside or inside it. It stays within `bounds` (a
    label larger than the bounds starts at their corner) and off earlier labels as far as possible. A label does not
    depend on later ones, so a layout can be continued: the result is the same as if the labels of `placed` had been
    laid out first in the same call.

    Args:
        boxes: xyxy, any unit.
        sizes: Width and height of each label, same unit.
        bounds: xyxy of the visible area, same unit.
        placed: Rectangles of labels already placed, xyxy, in their order.
    """
    if not boxes:
        return []
    spans = np.asarray(sizes, np.float64)
    places, slides = _places(np.asarray(boxes, np.float64), spans, bounds)
    cost = np.where(_fits(places, slides, spans, bounds), 0.0, _OUT_OF_BOUNDS)
    places = _clamped(places, spans, bounds)
    if placed:
        cost += _covered(places, spans, np.asarray(placed, np.float64))
    return _choose(places, spans, cost)


def _places(boxes: Floats, spans: Floats, bounds: Box) -> tuple[Floats, Flags]:
    """List the candidate positions, best first: top left corners [N, K, 2], and [K] whether they may slide sideways.

    Boxes are clipped to the bounds first, so that a label stays with the visible part.
    """
    low, high = np.array(bounds[:2] * 2), np.array(bounds[2:] * 2)
    left, top, right, bottom = np.clip(boxes, low, np.maximum(low, high)).T
    width, height = spans.T
    end = right - width
    along = [left + (end - left) * part for part in (0.0, 1.0, 0.5, 0.25, 0.75)]
    above = [(x, top - height * level, True) for level in range(1, _LEVELS + 1) for x in along]
    below = [(x, bottom + height * (level - 1), True) for level in range(1, _LEVELS + 1) for x in along]
    down = [top, bottom - height, (top + bottom - height) / 2]
    beside = [(x, y, False) for y in down for x in (right, left - width)]
    inside = [(x, y, True) for y in down[:2] for x in (left, end)]
    tried = [*above[:2], *below[:2], *beside[:2], *inside, *above[2:], *below[2:], *beside[2:]]
    return np.stack([np.stack((x, y), -1) for x, y, _ in tried], 1), np.array([slides for _, _, slides in tried])


def _fits(places: Floats, slides: Flags, spans: Floats, bounds: Box) -> Flags:
    """Return [N, K]: whether a label at a position is within the bounds, after sliding sideways where allowed."""
    ends = places + spans[:, None, :]
    across = slides | ((places[:, :, 0] >= bounds[0]) & (ends[:, :, 0] <= bounds[2]))
    return across & (places[:, :, 1] >= bounds[1]) & (ends[:, :, 1] <= bounds[3])


def _clamped(places: Floats, spans: Floats, bounds: Box) -> Floats:
    low = np.array(bounds[:2])
    high = np.maximum(low, np.array(bounds[2:]) - spans)[:, None, :]
    return np.clip(places, low, high)


def _covered(places: Floats, spans: Floats, placed: Floats) -> Floats:
    """Return the area that each position covers of the labels `placed` [M, 4], summed in their order: [N, K]."""
    starts, ends = placed[:, None, None, :2], placed[:, None, None, 2:]
    shared = np.minimum(places + spans[:, None, :], ends) - np.maximum(places, starts)
    np.maximum(shared, 0.0, out=shared)
    covered: Floats = np.add.reduce(shared[..., 0] * shared[..., 1], axis=0)
    return covered


def _choose(places: Floats, spans: Floats, cost: Floats) -> list[tuple[float, float]]:
    """Choose for each label in turn the first position with the least overlap with earlier labels."""
    ends = places + spans[:, None, :]
    reach = np.concatenate([places.min(1), -ends.max(1)], 1)
    best = cost.argmin(1)
    for at in range(len(places)):
        best[at] = cost[at].argmin()
        start, end = places[at, best[at]], ends[at, best[at]]
        near = at + 1 + np.flatnonzero((reach[at + 1 :] < np.concatenate([end, -start])).all(1))
        if len(near):
            shared = np.minimum(ends[near], end) - np.maximum(places[near], start)
            np.maximum(shared, 0.0, out=shared)
            cost[near] += shared[:, :, 0] * shared[:, :, 1]
    return [(float(x), float(y)) for x, y in places[np.arange(len(places)), best]]
