"""Choosing beyond threshold and top_k, against code that goes through the detections one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.detect.detection import Box, Detection, Detections, Filter
from engine.review.refine import Refinement, held_back, keep_refined, pairwise_iou

NAMES = {0: "cat", 1: "狗"}
LABELS = ("cat", "狗", "2")

edges = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(sorted)
boxes = st.builds(lambda x, y: (float(x[0]), float(y[0]), float(x[1]), float(y[1])), edges, edges)
thresholds = st.integers(0, 10).map(lambda tenths: tenths / 10)
filters = st.builds(
    Filter,
    labels=st.none() | st.frozensets(st.sampled_from(LABELS)),
    threshold=thresholds,
    top_k=st.none() | st.integers(1, 6),
)
refinements = st.builds(
    Refinement,
    class_thresholds=st.dictionaries(st.sampled_from(LABELS), thresholds),
    suppress_iou=st.none() | st.integers(1, 9).map(lambda tenths: tenths / 10),
    across_classes=st.booleans(),
    hidden=st.frozensets(st.sampled_from(LABELS), max_size=2),
    solo=st.none() | st.sampled_from(LABELS),
)


def detections(*found: tuple[float, int, Box]) -> Detections:
    return Detections.from_arrays(
        np.array([score for score, _, _ in found], np.float32),
        np.array([label_id for _, label_id, _ in found], np.int64),
        np.array([box for _, _, box in found], np.float32).reshape(-1, 4),
        NAMES,
        8,
        8,
    )


images = st.lists(st.tuples(thresholds, st.integers(0, 2), boxes), max_size=12).map(lambda found: detections(*found))


def naive_iou(one: Box, other: Box) -> float:
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    union = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - width * height
    return float(np.float32(width * height) / np.float32(union)) if union else 0.0


def naive_keep(found: Detections, chosen: Filter, refinement: Refinement) -> list[int]:
    kept: list[Detection] = []
    for each in found:
        least = refinement.class_thresholds.get(each.label, chosen.threshold)
        if np.float32(each.score) <= np.float32(least) or each.label in refinement.hidden:
            continue
        if refinement.solo not in (None, each.label) or (chosen.labels is not None and each.label not in chosen.labels):
            continue
        rivals = [other for other in kept if refinement.across_classes or other.label == each.label]
        iou = refinement.suppress_iou
        if iou is None or all(naive_iou(each.box, other.box) <= np.float32(iou) for other in rivals):
            kept.append(each)
    return [each.index for each in kept][: chosen.top_k]


@given(images, filters, refinements)
def test_filters_equal_a_plain_loop(found: Detections, chosen: Filter, refinement: Refinement) -> None:
    if chosen.labels is None or "2" not in chosen.labels:
        assert keep_refined(found, chosen, refinement).indices.tolist() == naive_keep(found, chosen, refinement)


@given(images, filters)
def test_the_default_changes_nothing(found: Detections, chosen: Filter) -> None:
    kept = keep_refined(found, chosen, Refinement())
    assert kept.indices.tolist() == found.keep(chosen).indices.tolist()


@given(images, thresholds, refinements)
def test_each_hidden_detection_has_one_reason(found: Detections, threshold: float, refinement: Refinement) -> None:
    chosen = Filter(threshold=threshold)
    held = held_back(found, chosen, refinement)
    reasons = [*held.hidden.tolist(), *held.below.tolist(), *held.suppressed.tolist()]
    kept = keep_refined(found, chosen, refinement).indices.tolist()
    assert sorted(reasons + kept) == sorted(found.indices.tolist())
    assert set(held.suppressed.tolist()) == set() or refinement.suppress_iou is not None


@given(st.lists(boxes, max_size=5), st.lists(boxes, max_size=5))
def test_overlaps_are_those_of_the_textbook(first: list[Box], second: list[Box]) -> None:
    shares = pairwise_iou(np.array(first, np.float32).reshape(-1, 4), np.array(second, np.float32).reshape(-1, 4))
    assert shares.shape == (len(first), len(second))
    for row, one in enumerate(first):
        assert shares[row].tolist() == pytest.approx([naive_iou(one, other) for other in second], abs=1e-6)


def test_a_duplicate_goes_and_the_next_object_stays() -> None:
    found = detections((0.9, 0, (0, 0, 4, 4)), (0.8, 0, (0, 0, 4, 4)), (0.7, 1, (0, 0, 4, 4)), (0.6, 0, (4, 4, 8, 8)))
    within = Refinement(suppress_iou=0.7)
    assert keep_refined(found, Filter(), within).indices.tolist() == [0, 2, 3]
    assert keep_refined(found, Filter(top_k=2), within).indices.tolist() == [0, 2]
    across = Refinement(suppress_iou=0.7, across_classes=True)
    assert keep_refined(found, Filter(), across).indices.tolist() == [0, 3]
    assert held_back(found, Filter(), across).suppressed.tolist() == [1, 2]


def test_suppressed_detections_suppress_nothing() -> None:
    chain = detections((0.9, 0, (0, 0, 4, 4)), (0.8, 0, (0, 2, 4, 6)), (0.7, 0, (0, 4, 4, 8)))
    assert keep_refined(chain, Filter(), Refinement(suppress_iou=0.3)).indices.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("refinement", "is_active"),
    [
        (Refinement(), False),
        (Refinement(across_classes=True), False),
        (Refinement(class_thresholds={}), False),
        (Refinement(class_thresholds={"cat": 0.5}), True),
        (Refinement(suppress_iou=0.7), True),
        (Refinement(hidden=frozenset({"cat"})), True),
        (Refinement(solo="cat"), True),
    ],
)
def test_only_what_can_change_the_answer_is_active(refinement: Refinement, is_active: bool) -> None:
    assert refinement.is_active is is_active
