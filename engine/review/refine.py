"""Choosing beyond threshold and top_k: thresholds of single classes, hidden classes, duplicates suppressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections, Filter

_NONE: Mapping[str, float] = MappingProxyType({})

_ROWS_AT_ONCE = 64
"""So many rows of a table of overlaps fit in the processor's cache: several times as fast as all at once."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """What the API does not know of; the default changes nothing.

    Attributes:
        class_thresholds: By class name, 0..1: used in place of the general threshold.
        suppress_iou: Of two boxes that overlap more than this (IoU, 0..1) the lower score goes; `None` keeps all.
        across_classes: Whether boxes of different classes suppress each other too.
        hidden: Class names that are not shown.
        solo: The only class that is shown, if any.
    """

    class_thresholds: Mapping[str, float] = field(default_factory=lambda: _NONE)
    suppress_iou: float | None = None
    across_classes: bool = False
    hidden: frozenset[str] = frozenset()
    solo: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether more than threshold, top_k and labels chooses, so that the API would answer otherwise."""
        suppresses = self.suppress_iou is not None
        return bool(self.class_thresholds or self.hidden) or self.solo is not None or suppresses

    def shows(self, label: str) -> bool:
        """Whether boxes of this class are shown at all."""
        return label not in self.hidden and self.solo in (None, label)

    def threshold_of(self, label: str, general: float) -> float:
        """The threshold that holds for a class."""
        return self.class_thresholds.get(label, general)


def keep_refined(found: Detections, chosen: Filter, refinement: Refinement) -> Detections:
    """Those that pass, in the same order: labels, thresholds, suppression, then top_k.

    Args:
        found: Every detection of an image.
        chosen: Labels, the general threshold and top_k.
        refinement: What is asked beside them.
    """
    if not refinement.is_active:
        return found.keep(chosen)
    is_above, is_visible = _masks(found, chosen, refinement)
    at = np.flatnonzero(is_above & is_visible)
    return found.at(at[_survive(found, at, refinement)][: chosen.top_k])


@dataclass(frozen=True, eq=False)
class HeldBack:
    """Why detections are not shown, each by the first reason that holds; what top_k cuts off is not among them.

    Attributes:
        hidden: int64, `Detection.index` of those that are above their threshold and of a class that is not shown.
        below: int64, of those that are not above their threshold.
        suppressed: int64, of those that a better one suppresses.
    """

    hidden: npt.NDArray[np.int64]
    below: npt.NDArray[np.int64]
    suppressed: npt.NDArray[np.int64]


def held_back(found: Detections, chosen: Filter, refinement: Refinement) -> HeldBack:
    """What `keep_refined` holds back, and why."""
    is_above, is_visible = _masks(found, chosen, refinement)
    at = np.flatnonzero(is_above & is_visible)
    return HeldBack(
        hidden=found.indices[is_above & ~is_visible],
        below=found.indices[~is_above],
        suppressed=found.indices[at[~_survive(found, at, refinement)]],
    )


Mask = npt.NDArray[np.bool_]


def _masks(found: Detections, chosen: Filter, refinement: Refinement) -> tuple[Mask, Mask]:
    """Which detections are above the threshold of their class, and which are of a class that is shown."""
    label_ids, at = np.unique(found.label_ids, return_inverse=True)
    labels = [found.label_of(label_id) for label_id in label_ids.tolist()]
    least = np.array([refinement.threshold_of(label, chosen.threshold) for label in labels], np.float32)
    visible = [refinement.shows(label) and (chosen.labels is None or label in chosen.labels) for label in labels]
    return found.scores > least[at], np.array(visible, bool)[at]


def _survive(found: Detections, at: npt.NDArray[np.intp], refinement: Refinement) -> Mask:
    """Which of the detections `at`, which come best first, greedy non-maximum suppression leaves."""
    alive = np.ones(len(at), bool)
    if refinement.suppress_iou is None:
        return alive
    overlaps = pairwise_iou(found.boxes[at], found.boxes[at]) > refinement.suppress_iou
    if not refinement.across_classes:
        ids = found.label_ids[at]
        overlaps &= ids[:, None] == ids[None]
    np.fill_diagonal(overlaps, False)
    for place in np.flatnonzero(overlaps.any(axis=1)).tolist():
        if alive[place]:
            alive[place + 1 :] &= ~overlaps[place, place + 1 :]
    return alive


def pairwise_iou(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Intersection over union of xyxy boxes [N, 4] and [M, 4]: float32 [N, M], 0 where a box has no area."""
    shares = np.empty((len(first), len(second)), np.float32)
    for start in range(0, len(first), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        shares[rows] = _iou_of(first[rows], second)
    return shares


def _iou_of(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    inner = _common_length(first, second, 0)
    inner *= _common_length(first, second, 1)
    union: npt.NDArray[np.float32] = np.add(_areas(first)[:, None], _areas(second)[None])
    union -= inner
    return np.divide(inner, union, out=inner, where=union > 0)


def _common_length(
    first: npt.NDArray[np.float32], second: npt.NDArray[np.float32], axis: int
) -> npt.NDArray[np.float32]:
    """How far boxes [N, 4] and [M, 4] overlap along x (0) or y (1), pixels: float32 [N, M]."""
    length: npt.NDArray[np.float32] = np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
    length -= np.maximum(first[:, None, axis], second[None, :, axis])
    return np.maximum(length, 0, out=length)


def _areas(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    sides: npt.NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return sides
