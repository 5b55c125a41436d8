"""Choosing beyond threshold and top_k: thresholds of single classes, hidden classes, duplicates suppressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections, Filter

_NONE: Mapping[str, float] = MappingProxyType({})


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
        return self != Refinement()

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
    labels = {label_id: found.label_of(label_id) for label_id in np.unique(found.label_ids).tolist()}
    least = np.zeros(len(found), np.float32)
    mask = np.ones(len(found), bool)
    for label_id, label in labels.items():
        of_class = found.label_ids == label_id
        least[of_class] = refinement.threshold_of(label, chosen.threshold)
        mask[of_class] = refinement.shows(label) and (chosen.labels is None or label in chosen.labels)
    at = np.flatnonzero(mask & (found.scores > least))
    if refinement.suppress_iou is not None:
        at = at[_survivors(found, at, refinement.suppress_iou, refinement.across_classes)]
    return found.at(at[: chosen.top_k])


def _survivors(found: Detections, at: npt.NDArray[np.intp], iou: float, across: bool) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression of the detections `at`, which come best first; places within `at`."""
    overlaps = pairwise_iou(found.boxes[at], found.boxes[at]) > iou
    if not across:
        ids = found.label_ids[at]
        overlaps &= ids[:, None] == ids[None]
    alive = np.ones(len(at), bool)
    for place in range(len(at)):
        if alive[place]:
            alive[place + 1 :] &= ~overlaps[place, place + 1 :]
    return np.flatnonzero(alive)


def pairwise_iou(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Intersection over union of xyxy boxes [N, 4] and [M, 4]: float32 [N, M], 0 where a box has no area."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    inner: npt.NDArray[np.float32] = np.clip(high - low, 0, None).prod(-1)
    union = _areas(first)[:, None] + _areas(second)[None] - inner
    shares: npt.NDArray[np.float32] = np.divide(inner, union, out=np.zeros_like(inner), where=union > 0)
    return shares


def _areas(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    sides: npt.NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return sides
