"""Filters beyond threshold and top_k: per-class thresholds, hidden classes and suppression of duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections, Filter

_NONE: Mapping[str, float] = MappingProxyType({})

_ROWS_AT_ONCE = 64
"""Rows of the IoU matrix computed at a time; they fit in the processor's cache, which is several times as fast."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """Filters that the API does not have; the default has no effect.

    Attributes:
        class_thresholds: Thresholds by class name, 0..1, that replace the general one.
        suppress_iou: Of two boxes with a larger IoU (0..1), the one with the lower score is suppressed; `None` keeps
            all.
        across_classes: Whether boxes of different classes suppress each other.
        hidden: Names of classes that are not shown.
        solo: The only class shown, if any.
    """

    class_thresholds: Mapping[str, float] = field(default_factory=lambda: _NONE)
    suppress_iou: float | None = None
    across_classes: bool = False
    hidden: frozenset[str] = frozenset()
    solo: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether any filter is set, so that the API's answer may differ from what is shown."""
        suppresses = self.suppress_iou is not None
        return bool(self.class_thresholds or self.hidden) or self.solo is not None or suppresses

    def shows(self, label: str) -> bool:
        """Return whether boxes of this class are shown."""
        return label not in self.hidden and self.solo in (None, label)

    def threshold_of(self, label: str, general: float) -> float:
        """Return the threshold of a class."""
        return self.class_thresholds.get(label, general)


def keep_refined(found: Detections, chosen: Filter, refinement: Refinement) -> Detections:
    """Apply labels, thresholds, suppression and top_k, in this order; the order of detections is kept.

    Args:
        found: Every detection of an image.
        chosen: Labels, the general threshold and top_k.
        refinement: The filters beyond them.
    """
    if not refinement.is_active:
        return found.keep(chosen)
    is_above, is_visible = _masks(found, chosen, refinement)
    at = np.flatnonzero(is_above & is_visible)
    return found.at(at[_survive(found, at, refinement)][: chosen.top_k])


@dataclass(frozen=True, eq=False)
class HeldBack:
    """Indices of the detections that are not shown, by reason; those that top_k cuts off are not included.

    Attributes:
        hidden: int64, `Detection.index` of those above their threshold whose class is not shown.
        below: int64, `Detection.index` of those not above their threshold.
        suppressed: int64, `Detection.index` of those suppressed by one with a higher score.
    """

    hidden: npt.NDArray[np.int64]
    below: npt.NDArray[np.int64]
    suppressed: npt.NDArray[np.int64]


def held_back(found: Detections, chosen: Filter, refinement: Refinement) -> HeldBack:
    """Return the detections that `keep_refined` drops, by reason."""
    is_above, is_visible = _masks(found, chosen, refinement)
    at = np.flatnonzero(is_above & is_visible)
    return HeldBack(
        hidden=found.indices[is_above & ~is_visible],
        below=found.indices[~is_above],
        suppressed=found.indices[at[~_survive(found, at, refinement)]],
    )


Mask = npt.NDArray[np.bool_]


def _masks(found: Detections, chosen: Filter, refinement: Refinement) -> tuple[Mask, Mask]:
    """Return two masks: above the threshold of the class, and of a class that is shown."""
    label_ids, at = np.unique(found.label_ids, return_inverse=True)
    labels = [found.label_of(label_id) for label_id in label_ids.tolist()]
    thresholds = np.array([refinement.threshold_of(label, chosen.threshold) for label in labels], np.float32)
    visible = [refinement.shows(label) and (chosen.labels is None or label in chosen.labels) for label in labels]
    return found.scores > thresholds[at], np.array(visible, bool)[at]


def _survive(found: Detections, at: npt.NDArray[np.intp], refinement: Refinement) -> Mask:
    """Return a mask of the rows `at`, best score first, that greedy non-maximum suppression keeps."""
    alive = np.ones(len(at), bool)
    if refinement.suppress_iou is None:
        return alive
    overlaps = pairwise_iou(found.boxes[at], found.boxes[at]) > refinement.suppress_iou
    if not refinement.across_classes:
        ids = found.label_ids[at]
        overlaps &= ids[:, None] == ids[None]
    np.fill_diagonal(overlaps, False)
    for row in np.flatnonzero(overlaps.any(axis=1)).tolist():
        if alive[row]:
            alive[row + 1 :] &= ~overlaps[row, row + 1 :]
    return alive


def pairwise_iou(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the IoU of xyxy boxes [N, 4] and [M, 4]: float32 [N, M], 0 for boxes without area."""
    ious = np.empty((len(first), len(second)), np.float32)
    for start in range(0, len(first), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        ious[rows] = _iou_of(first[rows], second)
    return ious


def _iou_of(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    inner = _common_length(first, second, 0)
    inner *= _common_length(first, second, 1)
    union: npt.NDArray[np.float32] = np.add(_areas(first)[:, None], _areas(second)[None])
    union -= inner
    return np.divide(inner, union, out=inner, where=union > 0)


def _common_length(
    first: npt.NDArray[np.float32], second: npt.NDArray[np.float32], axis: int
) -> npt.NDArray[np.float32]:
    """Return the length of the overlap of boxes [N, 4] and [M, 4] along x (0) or y (1), pixels: float32 [N, M]."""
    length: npt.NDArray[np.float32] = np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
    length -= np.maximum(first[:, None, axis], second[None, :, axis])
    return np.maximum(length, 0, out=length)


def _areas(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    sides: npt.NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return sides
