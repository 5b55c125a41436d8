"""What a model found in the tiles of an image, and in the image as a whole, made one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections
from engine.detect.tiling import Tile, Tiling

MOST_KEPT = 1000
"""Best detections that an image keeps; the hundreds of empty queries of every tile would only be carried along."""

_MOST_COMPARED = 5 * MOST_KEPT
_SAME = 0.5
"""Boxes of one class that overlap more than this (IoU) are one thing, if they were seen in different looks."""

_INSIDE = 0.6
"""A box with more than this share of it in another one is a piece of it, if it was cut or seen from afar."""

_NEAR_EDGE = 0.02
"""A box that ends closer to the edge of its tile than this share of its side may have been cut there."""

_FROM_AFAR, _VAGUE = 0.8, 0.4
"""How much scores count where boxes compete: of what was seen close and whole, all. In the whole image things are
smaller, and those that a tile's edge cut, or that are tiny in the whole image, have the worst boxes."""

_SURE = 0.5
"""Only boxes with at least this share of a piece's score are joined to it."""

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Pool:
    """Candidates of all looks at an image, best first by how much they count.

    Attributes:
        scores: float32 [N], as the model gave them.
        label_ids: int64 [N].
        boxes: float32 [N, 4], xyxy, pixels of the image.
        looks: int64 [N], which look each is from; 0 is the whole image.
        is_cut: bool [N, 4], whether a tile ends at the box's left, top, right and bottom edge and the image does not.
        is_tiny: bool [N], whether it was seen in the whole image and fits into what two tiles share.
    """

    scores: Array
    label_ids: npt.NDArray[np.int64]
    boxes: Array
    looks: npt.NDArray[np.int64]
    is_cut: Mask
    is_tiny: Mask

    @property
    def counts(self) -> Array:
        """The scores that they compete with: float32 [N]."""
        weights = np.where(self.looks == 0, _FROM_AFAR, 1.0)
        return (self.scores * np.where(self.is_cut.any(axis=1) | self.is_tiny, _VAGUE, weights)).astype(np.float32)

    def at(self, places: Places) -> _Pool:
        """Those at these places, in this order."""
        return _Pool(
            self.scores[places],
            self.label_ids[places],
            self.boxes[places],
            self.looks[places],
            self.is_cut[places],
            self.is_tiny[places],
        )


def merge(whole: Detections, parts: Sequence[tuple[Tile, Detections]], tiling: Tiling) -> Detections:
    """One answer of many: each thing once, the best `MOST_KEPT` of them.

    Only boxes of one class and of different looks compete, so that what the model tells apart within one look stays
    apart. What the edge of a tile cut off goes where another look has all of it; else its pieces are joined.

    Args:
        whole: What is in the image as a whole, where large things are found.
        parts: The tiles, and what is in each; boxes in pixels of the tile.
        tiling: How they were cut.
    """
    kept = _survivors(_pooled(whole, parts, tiling))
    found = Detections.from_arrays(kept.scores, kept.label_ids, kept.boxes, whole.names, whole.width, whole.height)
    return replace(found, model=whole.model, device=whole.device, runtime=whole.runtime, tiling=tiling)


def _pooled(whole: Detections, parts: Sequence[tuple[Tile, Detections]], tiling: Tiling) -> _Pool:
    every = [whole, *(found for _, found in parts)]
    moved = [found.boxes + np.array([tile.left, tile.top] * 2, np.float32) for tile, found in parts]
    uncut = np.zeros((len(whole), 4), bool)
    boxes = np.concatenate([whole.boxes, *moved])
    looks = np.repeat(np.arange(len(every)), [len(found) for found in every])
    pool = _Pool(
        scores=np.concatenate([found.scores for found in every]),
        label_ids=np.concatenate([found.label_ids for found in every]),
        boxes=boxes,
        looks=looks,
        is_cut=np.concatenate([uncut, *(_cut(found, tile, whole, tiling) for tile, found in parts)]),
        is_tiny=(looks == 0) & ((boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) <= tiling.shared),
    )
    pool = pool.at(np.argsort(-pool.scores, kind="stable")[:_MOST_COMPARED])
    return pool.at(np.argsort(-pool.counts, kind="stable"))


def _cut(found: Detections, tile: Tile, whole: Detections, tiling: Tiling) -> Mask:
    """Which edges of boxes are at an edge of the tile that is not one of the image: bool [N, 4]."""
    is_inner = np.not_equal(np.array([0, 0, whole.width, whole.height]), tile.edges)
    edges = np.array([0, 0, found.width, found.height], np.float32)
    is_cut: Mask = is_inner & (np.abs(found.boxes - edges) <= _NEAR_EDGE * tiling.side)
    return is_cut


def _survivors(pool: _Pool) -> _Pool:
    """The best of each thing, pieces joined: greedy suppression, within classes and between looks."""
    alive = np.ones(len(pool.scores), bool)
    boxes = pool.boxes.copy()
    kept: list[int] = []
    for at in range(len(alive)):
        if alive[at] and len(kept) < MOST_KEPT:
            kept.append(at)
            rivals = alive & (pool.label_ids == pool.label_ids[at]) & (pool.looks != pool.looks[at])
            rivals[:at] = False
            places = np.flatnonzero(rivals)
            pieces = _pieces(pool, at, places)
            boxes[at] = _around(pool.boxes[[at, *pieces]])
            alive[pieces] = False
            alive[places[_are_same(pool, at, boxes[at], places)]] = False
    return replace(pool, boxes=boxes).at(np.array(kept, np.intp))


def _are_same(pool: _Pool, at: int, box: Array, places: Places) -> Mask:
    """Which boxes tell of the same thing as the one at `at`, which is `box` with its pieces."""
    common = np.clip(_common(box, pool.boxes[places]), 0, None).prod(axis=1)
    area, areas = _sides(box).prod(), _sides(pool.boxes[places]).prod(axis=1)
    is_same: Mask = common > _SAME * (area + areas - common)
    is_same |= pool.is_cut[places].any(axis=1) & (common > _INSIDE * areas)
    is_same |= (pool.is_tiny[places] | pool.is_tiny[at]) & (common > _INSIDE * np.minimum(area, areas))
    return is_same


def _pieces(pool: _Pool, at: int, places: Places) -> list[int]:
    """Which of `places` are what another look has of the thing at `at`, which a tile's edge cut, and of its pieces."""
    pieces: list[int] = []
    if not pool.is_cut[at].any():
        return pieces
    left = places[pool.is_cut[places].any(axis=1) & (pool.scores[places] >= _SURE * pool.scores[at])]
    while True:
        so_far = [at, *pieces]
        is_cut: Mask = np.logical_or.reduce(pool.is_cut[so_far], axis=0)
        goes_on = _goes_on(_around(pool.boxes[so_far]), is_cut, pool, left)
        if not goes_on.any():
            return pieces
        pieces += left[goes_on].tolist()
        left = left[~goes_on]


def _goes_on(box: Array, is_cut: Mask, pool: _Pool, places: Places) -> Mask:
    """Which boxes go on where `box` [4] is cut [4]: cut on the other side, reaching into it, in line with it."""
    facing = pool.is_cut[places][:, [2, 3, 0, 1]] & is_cut
    common = _common(box, pool.boxes[places])
    is_in_line = common > _INSIDE * np.minimum(_sides(box), _sides(pool.boxes[places]))
    reaches = common > 0
    across = facing[:, [0, 2]].any(axis=1) & reaches[:, 0] & is_in_line[:, 1]
    down = facing[:, [1, 3]].any(axis=1) & reaches[:, 1] & is_in_line[:, 0]
    return np.asarray(across | down)


def _around(boxes: Array) -> Array:
    """The smallest box [4] around boxes [N, 4]."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _sides(boxes: Array) -> Array:
    """Widths and heights of boxes [..., 4]: [..., 2]."""
    return boxes[..., 2:] - boxes[..., :2]


def _common(box: Array, others: Array) -> Array:
    """How far a box [4] and others [N, 4] overlap in x and y, negative where they do not: [N, 2]."""
    return np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
