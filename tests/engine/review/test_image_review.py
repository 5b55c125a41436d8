"""What a person can do to an image's review."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.detect.detection import Detections, Filter
from engine.review.decision import Decision, Original, Status
from engine.review.image_review import ImageReview, accept, add, forget, reject, relabel, reshape
from engine.review.merge import Reviewed, merge_decisions

FOUND = replace(
    Detections.from_arrays(
        np.array([0.9, 0.8, 0.7], np.float32),
        np.array([0, 1, 0]),
        np.array([[0, 0, 10, 10], [20, 20, 40, 40], [50, 50, 90, 90]], np.float32),
        {0: "二维码", 1: "face"},
        100,
        100,
    ),
    model="starter",
)
BOX = (1.0, 2.0, 3.0, 4.0)


def seen(of: ImageReview) -> Reviewed:
    return merge_decisions(FOUND, of.decisions, Filter(threshold=0.5))


def statuses(of: ImageReview) -> dict[int, Status]:
    """Status by what is shown of the image."""
    return {index: decision.status for index, decision in seen(of).decisions.items()}


def accepted(*indices: int) -> ImageReview:
    return accept(ImageReview(), seen(ImageReview()), indices, 1)


def test_accepting_keeps_what_the_model_had_said() -> None:
    after = accepted(0, 2)
    scores = [float(score) for score in FOUND.scores]
    assert after.decisions == (
        Decision(
            1, Status.ACCEPTED, "二维码", (0, 0, 10, 10), Original("二维码", scores[0], (0, 0, 10, 10), "starter")
        ),
        Decision(
            2, Status.ACCEPTED, "二维码", (50, 50, 90, 90), Original("二维码", scores[2], (50, 50, 90, 90), "starter")
        ),
    )


def test_indices_that_are_not_shown_are_passed_over() -> None:
    assert accepted(7, -1) == ImageReview()


def test_rejecting_and_accepting_again_is_one_decision() -> None:
    once = accepted(1)
    rejected = reject(once, seen(once), [1], 2)
    assert statuses(rejected) == {1: Status.REJECTED}
    again = accept(rejected, seen(rejected), [1], 2)
    assert again == once


def test_relabelling_accepts_and_keeps_the_original_label() -> None:
    after = relabel(ImageReview(), seen(ImageReview()), [0, 1], "条码", 5)
    assert statuses(after) == {0: Status.ACCEPTED, 1: Status.ACCEPTED}
    assert [(d.id, d.label, d.relabelled, d.moved) for d in after.decisions] == [
        (5, "条码", True, False),
        (6, "条码", True, False),
    ]
    assert [d.original.label for d in after.decisions if d.original] == ["二维码", "face"]


def test_relabelling_what_was_rejected_accepts_it() -> None:
    rejected = reject(ImageReview(), seen(ImageReview()), [0], 1)
    assert statuses(relabel(rejected, seen(rejected), [0], "face", 2)) == {0: Status.ACCEPTED}


def test_moving_accepts_and_keeps_the_label_that_was_given() -> None:
    labelled = relabel(ImageReview(), seen(ImageReview()), [0], "face", 1)
    (decision,) = reshape(labelled, seen(labelled), {0: BOX}, 2).decisions
    assert (decision.status, decision.label, decision.box, decision.moved) == (Status.ACCEPTED, "face", BOX, True)
    assert decision.original is not None
    assert decision.original.box == (0, 0, 10, 10)


def test_an_added_box_stays_added_until_it_is_rejected() -> None:
    one = add(ImageReview(), "face", BOX, 3)
    assert one.decisions == (Decision(3, Status.ADDED, "face", BOX),)
    for after in (
        accept(one, seen(one), [-3], 4),
        relabel(one, seen(one), [-3], "条码", 4),
        reshape(one, seen(one), {-3: (5.0, 5.0, 9.0, 9.0)}, 4),
        forget(one, seen(one), [-3]),
    ):
        assert statuses(after) == {-3: Status.ADDED}
    assert reject(one, seen(one), [-3], 4) == ImageReview()


def test_rejecting_added_and_found_boxes_at_once() -> None:
    both = add(accepted(0), "face", BOX, 2)
    after = reject(both, seen(both), [0, 1, -2], 3)
    assert statuses(after) == {0: Status.REJECTED, 1: Status.REJECTED}
    assert [decision.id for decision in after.decisions] == [1, 3]


def test_forgetting_leaves_what_the_model_says() -> None:
    before = accepted(0, 1)
    after = forget(before, seen(before), [0, 2])
    assert statuses(after) == {1: Status.ACCEPTED}


@pytest.mark.parametrize("do", [accept, reject])
def test_the_rest_of_the_review_stays(do: Callable[..., ImageReview]) -> None:
    before = replace(accepted(0), is_reviewed=True, note="看不清")
    after = do(before, seen(before), [1], 2)
    assert (after.is_reviewed, after.note) == (True, "看不清")
    assert after.decisions[0] == before.decisions[0]
    assert before == replace(accepted(0), is_reviewed=True, note="看不清")
