"""Merging of the detections in the tiles of an image and in the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections
from engine.detect.tiling import Tile, Tiling

MOST_KEPT = 1000
"""Detections that an image keeps, best first; every tile has hundreds of empty queries."""

_MOST_COMPARED = 5 * MOST_KEPT
_SAME = 0.5
"""IoU above which boxes of one class from different views are one object."""

_INSIDE = 0.6
"""Share of a box inside another above which it is a part of that, if it was cut or is tiny."""

_NEAR_EDGE = 0.02
"""Share of the tile's side: a box that ends closer to the edge may have been cut there."""

_FROM_AFAR, _VAGUE = 0.8, 0.4
"""Factors on the scores of competing boxes: of the whole image, and of boxes that are cut or tiny in the whole image.
Uncut boxes of tiles count fully."""

_SURE = 0.5
"""Least ratio of the scores of two joined parts."""

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Pool:
    """Candidates of all views of an image (the whole image and the tiles), best weighted score first.

    Attributes:
        scores: float32 [N], as the model gave them.
        label_ids: int64 [N].
        boxes: float32 [N, 4], xyxy, pixels of the image.
        looks: int64 [N], the view of each; 0 is the whole image.
        is_cut: bool [N, 4], whether a tile ends at the box's left, top, right and bottom edge and the image does not.
        is_tiny: bool [N], whether it is of the whole image and fits into the overlap of two tiles.
    """

    scores: Array
    label_ids: npt.NDArray[np.int64]
    boxes: Array
    looks: npt.NDArray[np.int64]
    is_cut: Mask
    is_tiny: Mask

    @property
    def counts(self) -> Array:
        """The weighted scores: float32 [N]."""
        weights = np.where(self.looks == 0, _FROM_AFAR, 1.0)
        return (self.scores * np.where(self.is_cut.any(axis=1) | self.is_tiny, _VAGUE, weights)).astype(np.float32)

    def at(self, places: Places) -> _Pool:
        """Return those at these positions, in this order."""
        return _Pool(
            self.scores[places],
            self.label_ids[places],
            self.boxes[places],
            self.looks[places],
            self.is_cut[places],
            self.is_tiny[places],
        )


def merge(whole: Detections, parts: Sequence[tuple[Tile, Detections]], tiling: Tiling) -> Detections:
    """Merge detections so that each object appears once; keeps the best `MOST_KEPT`.

    Only boxes of one class and of different views compete: what the model separates within one view stays separate. A
    box that was cut by the edge of a tile is dropped where another view has the whole object, else its parts are
    joined.

    Args:
        whole: The detections in the whole image.
        parts: The tiles and the detections in each, in pixels of the tile.
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
    """Return which edges of boxes are at an inner edge of the tile: bool [N, 4]."""
    is_inner = np.not_equal(np.array([0, 0, whole.width, whole.height]), tile.edges)
    edges = np.array([0, 0, found.width, found.height], np.float32)
    is_cut: Mask = is_inner & (np.abs(found.boxes - edges) <= _NEAR_EDGE * tiling.side)
    return is_cut


def _survivors(pool: _Pool) -> _Pool:
    """Suppress greedily within classes and between views, joining parts."""
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
    """Return which boxes are the same object as the one at `at`, which is `box` with its parts."""
    common = np.clip(_common(box, pool.boxes[places]), 0, None).prod(axis=1)
    area, areas = _sides(box).prod(), _sides(pool.boxes[places]).prod(axis=1)
    is_same: Mask = common > _SAME * (area + areas - common)
    is_same |= pool.is_cut[places].any(axis=1) & (common > _INSIDE * areas)
    is_same |= (pool.is_tiny[places] | pool.is_tiny[at]) & (common > _INSIDE * np.minimum(area, areas))
    return is_same


def _pieces(pool: _Pool, at: int, places: Places) -> list[int]:
    """Return which of `places` are further parts, in other views, of the cut object at `at`."""
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
    """Return which boxes continue `box` [4] where it is cut [4]: cut on the facing side, overlapping, aligned."""
    facing = pool.is_cut[places][:, [2, 3, 0, 1]] & is_cut
    common = _common(box, pool.boxes[places])
    is_in_line = common > _INSIDE * np.minimum(_sides(box), _sides(pool.boxes[places]))
    reaches = common > 0
    across = facing[:, [0, 2]].any(axis=1) & reaches[:, 0] & is_in_line[:, 1]
    down = facing[:, [1, 3]].any(axis=1) & reaches[:, 1] & is_in_line[:, 0]
    return np.asarray(across | down)


def _around(boxes: Array) -> Array:
    """Return the smallest box [4] around boxes [N, 4]."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _sides(boxes: Array) -> Array:
    """Return widths and heights of boxes [..., 4]: [..., 2]."""
    return boxes[..., 2:] - boxes[..., :2]


def _common(box: Array, others: Array) -> Array:
    """Return the overlap of a box [4] with others [N, 4] in x and y, negative where there is a gap: [N, 2]."""
    return np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
