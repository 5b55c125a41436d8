"""How far one model's detections are from another's: COCO's average precision, and what was kept, lost and new.

The way of COCO's own evaluation (https://cocodataset.org/#detection-eval) for boxes of all sizes, none of them a crowd.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections

_OVERLAPS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0.0, 1.0, 101)
_MOST = 100
"""Detections of a class in an image that are looked at, best first."""
_SAME = 0.5
"""Overlap from which two boxes show the same thing."""

_Floats = npt.NDArray[np.float64]
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Compared:
    """An image's detections beside those that are taken as truth.

    Attributes:
        found: Every detection, best score first.
        truth: What there is to be found.
    """

    found: Detections
    truth: Detections


@dataclass(frozen=True, slots=True)
class Changes:
    """How many detections are in both, in the truth alone, and in what was found alone."""

    kept: int
    lost: int
    new: int


def average_precision(images: Sequence[Compared]) -> float | None:
    """AP@[.5:.95] over all classes of the truth, 0..1; `None` where the truth is empty."""
    classes = sorted({int(label_id) for image in images for label_id in image.truth.label_ids})
    if not classes:
        return None
    return float(np.mean([_class_precision(images, label_id) for label_id in classes]))


def changes(images: Sequence[Compared], threshold: float) -> Changes:
    """What a user sees change at a threshold: the same class at much the same place (overlap of half) is kept."""
    kept = found_in_all = truth_in_all = 0
    for image in images:
        found = image.found.above(threshold)
        found_in_all += len(found)
        truth_in_all += len(image.truth)
        for label_id in np.unique(found.label_ids):
            own, truth = _boxes(found, int(label_id)), _boxes(image.truth, int(label_id))
            kept += int(_hits(overlaps(own, truth), np.array([_SAME])).sum())
    return Changes(kept, truth_in_all - kept, found_in_all - kept)


def overlaps(boxes: _Floats, others: _Floats) -> _Floats:
    """Intersection over union of each with each, 0..1, [N, M]; boxes are xyxy, [N, 4] and [M, 4]."""
    start = np.maximum(boxes[:, None, :2], others[None, :, :2])
    end = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.clip(end - start, 0, None), axis=2)
    areas, other_areas = (np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (boxes, others))
    union = areas[:, None] + other_areas[None, :] - shared
    ratios: _Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratios


def _class_precision(images: Sequence[Compared], label_id: int) -> float:
    """The mean precision over recalls and overlaps for one class, which the truth has."""
    scores: list[_Floats] = []
    hits: list[_Flags] = []
    count = 0
    for image in images:
        own, truth = _boxes(image.found, label_id)[:_MOST], _boxes(image.truth, label_id)
        count += len(truth)
        scores.append(image.found.scores[image.found.label_ids == label_id][:_MOST].astype(np.float64))
        hits.append(_hits(overlaps(own, truth), _OVERLAPS))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    right = np.cumsum(np.concatenate(hits, axis=1)[:, order], axis=1)
    return float(np.mean([_area(each, count) for each in right]))


def _area(right: npt.NDArray[np.int64], count: int) -> float:
    """The mean precision at COCO's 101 recalls; where a recall is not reached it is 0.

    Args:
        right: [N], how many of the best n detections hit.
        count: How many there are to be hit.
    """
    precision = right / np.arange(1, len(right) + 1)
    at_least = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(right / count, _RECALLS, side="left")
    return float(np.append(at_least, 0.0)[places].mean())


def _hits(overlap: _Floats, least: _Floats) -> _Flags:
    """Which boxes hit one of the truth that no better one hit, for each of the least overlaps.

    Args:
        overlap: [N, M], of the boxes, best score first, with the truth.
        least: [T], the overlaps to ask for.

    Returns:
        [T, N].
    """
    hits = np.zeros((len(least), len(overlap)), bool)
    for at, wanted in enumerate(least):
        left = overlap.copy()
        for box in range(len(left)):
            # of equal ones the last, as COCO's evaluation has it
            best = left.shape[1] - 1 - int(left[box, ::-1].argmax()) if left.shape[1] else -1
            if best >= 0 and left[box, best] >= min(wanted, 1 - 1e-10):
                hits[at, box] = True
                left[:, best] = -1.0
    return hits


def _boxes(detections: Detections, label_id: int) -> _Floats:
    boxes: _Floats = detections.boxes[detections.label_ids == label_id].astype(np.float64)
    return boxes
