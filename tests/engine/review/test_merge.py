"""Detections joined with what was decided about them, also after another run of the model."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.detect.detection import Box, Detections, Filter
from engine.review.decision import Decision, Original, Status
from engine.review.image_review import ImageReview, accept, reject, relabel
from engine.review.merge import match_decisions, merge_decisions, with_labels
from engine.review.refine import Refinement

NAMES = {0: "cat", 1: "狗"}
FAR: Box = (60, 60, 90, 90)
NEAR: Box = (0, 0, 40, 40)


def detections(*found: tuple[float, int, Box]) -> Detections:
    return Detections.from_arrays(
        np.array([score for score, _, _ in found], np.float32),
        np.array([label_id for _, label_id, _ in found], np.int64),
        np.array([box for _, _, box in found], np.float32).reshape(-1, 4),
        NAMES,
        100,
        100,
    )


def decision(number: int, status: Status, label: str, box: Box, score: float | None = 0.9) -> Decision:
    original = None if score is None else Original(label, score, box)
    return Decision(number, status, label, box, original)


FOUND = detections((0.9, 0, NEAR), (0.6, 1, FAR), (0.2, 0, FAR))


def test_accepted_and_added_ones_are_shown_whatever_the_threshold_is() -> None:
    kept = (decision(1, Status.ACCEPTED, "cat", FAR, 0.2), decision(2, Status.ADDED, "鸟", NEAR, None))
    seen = merge_decisions(FOUND, kept, Filter(threshold=0.95, top_k=1))
    assert seen.shown.indices.tolist() == [-2, 2]
    assert [each.label for each in seen.shown] == ["鸟", "cat"]
    assert (seen.undecided, seen.orphans) == (frozenset(), frozenset())


def test_rejected_ones_are_shown_only_where_they_would_be_undecided() -> None:
    kept = (decision(1, Status.REJECTED, "狗", FAR, 0.6),)
    assert merge_decisions(FOUND, kept, Filter(threshold=0.5)).having(Status.REJECTED) == {1}
    assert merge_decisions(FOUND, kept, Filter(threshold=0.7)).shown.indices.tolist() == [0]


def test_a_class_that_is_hidden_or_not_asked_for_is_not_shown_though_it_was_decided() -> None:
    kept = (decision(1, Status.ACCEPTED, "狗", FAR, 0.6),)
    assert merge_decisions(FOUND, kept, Filter(), Refinement(hidden=frozenset({"狗"}))).shown.indices.tolist() == [0]
    assert merge_decisions(FOUND, kept, Filter(labels=frozenset({"cat"}))).shown.indices.tolist() == [0]
    assert merge_decisions(FOUND, kept, Filter(labels=frozenset({"狗"}))).shown.indices.tolist() == [1]


def test_a_decision_is_found_again_after_another_run() -> None:
    again = detections((0.8, 0, (1, 0, 40, 41)), (0.7, 0, (30, 30, 60, 60)))
    kept = (decision(1, Status.ACCEPTED, "cat", NEAR), decision(2, Status.ACCEPTED, "狗", FAR, 0.6))
    assert match_decisions(again, kept) == {1: 0}
    seen = merge_decisions(again, kept, Filter())
    assert seen.orphans == {-2}
    assert seen.undecided == {1}


def test_of_two_equal_boxes_the_decided_one_is_matched() -> None:
    twice = detections((0.9, 0, NEAR), (0.4, 0, NEAR))
    seen = merge_decisions(twice, (), Filter(threshold=0.1))
    kept = reject(ImageReview(), seen, {1}, 1)
    assert match_decisions(twice, kept.decisions) == {1: 1}


def test_a_box_without_area_is_found_again() -> None:
    flat = detections((0.9, 0, (100, 20, 100, 40)))
    kept = accept(ImageReview(), merge_decisions(flat, (), Filter()), {0}, 1)
    assert match_decisions(flat, kept.decisions) == {1: 0}


def test_a_relabelled_one_stays_the_detection_it_was() -> None:
    kept = relabel(ImageReview(), merge_decisions(FOUND, (), Filter()), {0}, "鸟", 1)
    seen = merge_decisions(FOUND, kept.decisions, Filter())
    assert seen.shown.indices.tolist() == [0, 1]
    assert [each.label for each in seen.shown] == ["鸟", "狗"]
    assert seen.decisions[0].relabelled


def test_a_new_class_does_not_take_the_number_of_one_without_a_name() -> None:
    found = detections((0.9, 2, NEAR), (0.8, 0, FAR))
    seen = merge_decisions(found, (decision(1, Status.ADDED, "鸟", FAR, None),), Filter())
    assert [each.label for each in seen.shown] == ["鸟", "2", "cat"]


def test_new_classes_come_behind_the_known_ones() -> None:
    assert with_labels({1: "cat", 5: "狗"}, ["鸟", "cat", "fox", "鸟"]) == {1: "cat", 5: "狗", 6: "fox", 7: "鸟"}
    assert with_labels({}, ["cat"]) == {0: "cat"}


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 1), st.integers(0, 60)), max_size=8, unique=True),
    st.data(),
    st.integers(0, 20),
)
def test_deciding_twice_about_the_same_run_changes_nothing(
    found: list[tuple[int, int, int]], data: st.DataObject, threshold: int
) -> None:
    shown = detections(*((score / 20, label, (at, at, at + 30, at + 30)) for score, label, at in found))
    seen = merge_decisions(shown, (), Filter(threshold=0.0))
    chosen = data.draw(st.frozensets(st.sampled_from(range(len(shown)))) if len(shown) else st.just(frozenset()))
    kept = reject(accept(ImageReview(), seen, chosen, 1), seen, frozenset(range(len(shown))) - chosen, 100)
    again = merge_decisions(shown, kept.decisions, Filter(threshold=threshold / 20))
    assert again.orphans == again.undecided == frozenset()
    assert again.having(Status.ACCEPTED) == chosen
    assert again.having(Status.REJECTED) <= set(np.flatnonzero(shown.scores > np.float32(threshold / 20)).tolist())
    assert sorted(again.shown.scores.tolist(), reverse=True) == again.shown.scores.tolist()
