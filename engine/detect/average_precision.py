"""COCO's average precision, and the detections that two sets share or not.

As in COCO's evaluation (https://cocodataset.org/#detection-eval) for boxes of all sizes, without crowds.
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
"""Most detections of a class in an image, best first."""
_SAME = 0.5
"""Least IoU of a match."""

_Floats = npt.NDArray[np.float64]
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Compared:
    """An image's detections beside the ground truth.

    Attributes:
        found: Every detection, best score first.
        truth: The ground truth.
    """

    found: Detections
    truth: Detections


@dataclass(frozen=True, slots=True)
class Changes:
    """Numbers of detections: matched, in the ground truth alone, and in the found ones alone."""

    kept: int
    lost: int
    new: int


def average_precision(images: Sequence[Compared]) -> float | None:
    """Return AP@[.5:.95] over all classes of the ground truth, 0..1; `None` where that is empty."""
    classes = sorted({int(label_id) for image in images for label_id in image.truth.label_ids})
    if not classes:
        return None
    return float(np.mean([_class_precision(images, label_id) for label_id in classes]))


def changes(images: Sequence[Compared], threshold: float) -> Changes:
    """Return what changes at a threshold: detections of the same class with an IoU of 0.5 match."""
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
    """Return the IoU of each with each, 0..1, [N, M]; boxes are xyxy, [N, 4] and [M, 4]."""
    start = np.maximum(boxes[:, None, :2], others[None, :, :2])
    end = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.clip(end - start, 0, None), axis=2)
    areas, other_areas = (np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (boxes, others))
    union = areas[:, None] + other_areas[None, :] - shared
    ratios: _Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratios


def _class_precision(images: Sequence[Compared], label_id: int) -> float:
    """Return the mean precision over recalls and IoUs for one class of the ground truth."""
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
    """Return the mean precision at COCO's 101 recalls; 0 where a recall is not reached.

    Args:
        right: [N], how many of the best n detections match.
        count: Boxes in the ground truth.
    """
    precision = right / np.arange(1, len(right) + 1)
    at_least = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(right / count, _RECALLS, side="left")
    return float(np.append(at_least, 0.0)[places].mean())


def _hits(overlap: _Floats, least: _Floats) -> _Flags:
    """Return which boxes match one of the ground truth that no better one matched, for each least IoU.

    Args:
        overlap: [N, M], IoU of the boxes, best score first, with the ground truth.
        least: [T], the least IoUs.

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
