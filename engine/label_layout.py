"""Where labels go: rectangles in, placed rectangles out, for the canvas and for drawn images alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Box

Floats = npt.NDArray[np.float64]

_OUT_OF_BOUNDS = 1e30
_LEVELS = 3
"""How many label heights a label may stand off its box to find room."""


def place_labels(boxes: Sequence[Box], sizes: Sequence[tuple[float, float]], bounds: Box) -> list[tuple[float, float]]:
    """The top left corner of each label, in the order of `boxes`; the first ones get the best places.

    A label stands above its box where there is room, else below, beside or inside it, always within `bounds` (a label
    larger than the bounds starts at their corner), and off the labels before it while there is such a place.

    Args:
        boxes: xyxy; any unit.
        sizes: Width and height of each label, in that unit.
        bounds: xyxy, what is seen.
    """
    if not boxes:
        return []
    spans = np.asarray(sizes, np.float64)
    places = _places(np.asarray(boxes, np.float64), spans, bounds)
    cost = np.where(_fits_upright(places[:, :, 1], spans, bounds), 0.0, _OUT_OF_BOUNDS)
    return _choose(_clamped(places, spans, bounds), spans, cost)


def _places(boxes: Floats, spans: Floats, bounds: Box) -> Floats:
    """Every place to try for each label, best first: [N, K, 2], top left corners.

    Boxes are cut to the bounds first, so that a label stays with the part that is seen.
    """
    low, high = np.array(bounds[:2] * 2), np.array(bounds[2:] * 2)
    left, top, right, bottom = np.clip(boxes, low, np.maximum(low, high)).T
    width, height = spans.T
    end = right - width
    along = [left + (end - left) * part for part in (0.0, 1.0, 0.5, 0.25, 0.75)]
    above = [(x, top - height * level) for level in range(1, _LEVELS + 1) for x in along]
    below = [(x, bottom + height * (level - 1)) for level in range(1, _LEVELS + 1) for x in along]
    beside = [(right, top), (left - width, top), (right, bottom - height), (left - width, bottom - height)]
    inside = [(left, top), (end, top), (left, bottom - height), (end, bottom - height)]
    tried = [*above[:2], *below[:2], *beside[:2], *inside, *above[2:], *below[2:], *beside[2:]]
    return np.stack([np.stack(place, -1) for place in tried], 1)


def _fits_upright(top: Floats, spans: Floats, bounds: Box) -> npt.NDArray[np.bool_]:
    """Whether each place is within the bounds from top to bottom; sideways a label may be moved."""
    return np.asarray((top >= bounds[1]) & (top + spans[:, 1:] <= bounds[3]))


def _clamped(places: Floats, spans: Floats, bounds: Box) -> Floats:
    low = np.array(bounds[:2])
    high = np.maximum(low, np.array(bounds[2:]) - spans)[:, None, :]
    return np.clip(places, low, high)


def _choose(places: Floats, spans: Floats, cost: Floats) -> list[tuple[float, float]]:
    """For each label in turn the first of its places that covers the least of the labels before it."""
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
