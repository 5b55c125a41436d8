"""Detections as values: sorted, clipped, chosen from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.detect.detection import Detections, Filter, token_count
from engine.errors import EngineError

NAMES = {0: "cat", 1: "dog", 2: "猫头鹰"}


def detections(scores: list[float], label_ids: list[int] | None = None) -> Detections:
    count = len(scores)
    boxes = np.tile(np.array([1, 2, 30, 40], np.float32), (count, 1))
    ids = np.array(label_ids if label_ids is not None else [0] * count, np.int64)
    return Detections.from_arrays(np.array(scores, np.float32), ids, boxes, NAMES, 100, 50)


@pytest.mark.parametrize(
    ("width", "height", "tokens"), [(1280, 960, 1567), (1, 1, 1), (28, 28, 1), (28, 42, 2), (28, 41, 1), (392, 1, 1)]
)
def test_tokens_of_an_image(width: int, height: int, tokens: int) -> None:
    assert token_count(width, height) == tokens


def test_best_score_comes_first_and_equal_scores_keep_their_order() -> None:
    found = detections([0.2, 0.9, 0.2, 0.5], [0, 1, 2, 0])
    assert [d.label for d in found] == ["dog", "cat", "cat", "猫头鹰"]
    assert [d.index for d in found] == [0, 1, 2, 3]


def test_boxes_are_clipped_to_the_image() -> None:
    boxes = np.array([[-5, -5, 500, 500], [90, 10, 120, 20]], np.float32)
    found = Detections.from_arrays(np.array([0.9, 0.8], np.float32), np.array([0, 0]), boxes, NAMES, 100, 50)
    assert found[0].box == (0, 0, 100, 50)
    assert found[1].box == (90, 10, 100, 20)


def test_a_score_equal_to_the_threshold_is_not_kept() -> None:
    found = detections([0.9, 0.5, 0.4999])
    assert len(found.above(0.5)) == 1
    assert len(found.above(0.9)) == 0


def test_labels_come_before_threshold_before_top_k() -> None:
    found = detections([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1])
    kept = found.keep(Filter(labels=frozenset({"dog"}), threshold=0.5, top_k=1))
    assert [(d.label, d.index) for d in kept] == [("dog", 1)]
    assert len(found.keep(Filter(labels=frozenset({"dog"}), threshold=0.7, top_k=5))) == 1


def test_an_unnamed_class_is_called_by_its_number() -> None:
    assert detections([0.9], [7])[0].label == "7"


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), float("inf"), -float("inf")])
def test_a_threshold_that_is_none_is_refused(threshold: float) -> None:
    """FAULTS 13."""
    with pytest.raises(EngineError, match="from 0 to 1"):
        Filter(threshold=threshold)


@pytest.mark.parametrize("top_k", [0, -1])
def test_a_top_k_below_one_is_refused(top_k: int) -> None:
    with pytest.raises(EngineError, match="1 or more"):
        Filter(top_k=top_k)


@given(
    st.lists(st.floats(0, 1, width=32), max_size=40),
    st.floats(0, 1),
    st.one_of(st.none(), st.integers(1, 50)),
    st.one_of(st.none(), st.sets(st.sampled_from(sorted(NAMES.values())))),
)
def test_choosing_only_takes_away(
    scores: list[float], threshold: float, top_k: int | None, labels: set[str] | None
) -> None:
    found = detections(scores, [at % 3 for at in range(len(scores))])
    chosen = Filter(None if labels is None else frozenset(labels), threshold, top_k)
    kept = found.keep(chosen)
    assert list(kept.indices) == sorted(set(kept.indices.tolist()))
    assert all(d.score > np.float32(threshold) for d in kept)
    assert labels is None or all(d.label in labels for d in kept)
    assert top_k is None or len(kept) <= top_k
    assert list(kept.keep(chosen).indices) == list(kept.indices)
