"""Postprocessing: from a model's raw output to detections, with numpy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections
from engine.detect.families import Family

Array = npt.NDArray[np.float32]


def detections_from_raw(
    logits: Array, boxes: Array, family: Family, names: Mapping[int, str], width: int, height: int
) -> Detections:
    """Return every detection that the family's own postprocessing returns at threshold 0.

    Args:
        logits: [queries, classes]; with the softmax families the last class means "no object".
        boxes: [queries, 4], centre x, centre y, width, height, 0..1 of the image.
        family: How scores are computed from logits.
        names: Class names by label id.
        width, height: Size of the image as shown, pixels.
    """
    scores, label_ids, queries = (
        _softmax_scores(logits) if family.scores == "softmax" else _sigmoid_scores(logits, family.candidates)
    )
    found = scores > 0
    scores, label_ids, queries = scores[found], label_ids[found], queries[found]
    scale = np.array([width, height, width, height], np.float32)
    return Detections.from_arrays(scores, label_ids, _corners(boxes[queries]) * scale, names, width, height)


def _softmax_scores(logits: Array) -> tuple[Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return each query's best class. Source: PostProcess of facebookresearch/detr."""
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities = exponents[:, :-1] / exponents.sum(axis=-1, keepdims=True)
    label_ids = probabilities.argmax(axis=-1)
    queries = np.arange(len(logits))
    return probabilities[queries, label_ids], label_ids, queries


def _sigmoid_scores(
    logits: Array, candidates: int | None
) -> tuple[Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the best pairs of query and class. Source: PostProcess of fundamentalvision/Deformable-DETR."""
    queries, classes = logits.shape
    flat = logits.ravel()
    best = _best(flat, min(candidates or queries, flat.size))
    scores = 0.5 * (1.0 + np.tanh(0.5 * flat[best]))
    return scores.astype(np.float32), best % classes, best // classes


def _best(values: Array, count: int) -> npt.NDArray[np.int64]:
    """Return the positions of the `count` largest values, largest first, equal ones in their order."""
    negative = -values
    last = np.partition(negative, count - 1)[count - 1]
    places = np.flatnonzero(~(negative > last))
    return places[np.argsort(negative[places], kind="stable")][:count]


def _corners(boxes: Array) -> Array:
    """Convert cxcywh [N, 4] to xyxy [N, 4], the same unit."""
    centres, halves = boxes[:, :2], boxes[:, 2:] / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)
