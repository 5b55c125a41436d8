"""The scores of a session against code that goes through them one by one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.detection import Detections, Filter
from engine.review.refine import Refinement, keep_refined
from engine.review.tally import FLOOR, NO_SCORES, SessionScores, Tally

NAMES = {0: "cat", 1: "狗", 2: "qr_code"}
LABELS = (*NAMES.values(), "unheard of")

scores = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
hits = st.lists(st.tuples(scores, st.sampled_from([*NAMES, 3])), max_size=8)
thresholds = st.integers(0, 100).map(lambda percent: percent / 100)
filters = st.builds(
    Filter,
    labels=st.none() | st.frozensets(st.sampled_from(LABELS)),
    threshold=thresholds,
    top_k=st.none() | st.integers(1, 5),
)
refinements = st.builds(
    Refinement,
    class_thresholds=st.dictionaries(st.sampled_from(LABELS), thresholds),
    hidden=st.frozensets(st.sampled_from(LABELS), max_size=2),
    solo=st.none() | st.sampled_from(LABELS),
)
puts = st.tuples(st.integers(0, 5), st.none() | hits, st.frozensets(st.integers(0, 9)))
Known = dict[int, tuple[Detections, frozenset[int]]]


def detections(*found: tuple[float, int]) -> Detections:
    given_scores = np.array([score for score, _ in found], np.float32)
    label_ids = np.array([label_id for _, label_id in found], np.int64)
    boxes = np.tile(np.array([0, 0, 4, 4], np.float32), (len(found), 1))
    return Detections.from_arrays(given_scores, label_ids, boxes, NAMES, 8, 8)


def fed(steps: list[tuple[int, list[tuple[float, int]] | None, frozenset[int]]]) -> tuple[Tally, Known]:
    tally, known = Tally(), dict[int, tuple[Detections, frozenset[int]]]()
    for place, found, decided in steps:
        if found is None:
            tally.remove(place)
            known.pop(place, None)
        else:
            tally.put(place, detections(*found), decided)
            known[place] = detections(*found), decided
    return tally, known


def above_floor(known: Known) -> Mapping[int, Detections]:
    return {place: found.above(FLOOR) for place, (found, _) in known.items()}


@given(st.lists(puts), st.integers(1, 60), st.none() | st.sampled_from(LABELS))
def test_the_histogram_counts_every_score_once(
    steps: list[tuple[int, list[tuple[float, int]] | None, frozenset[int]]], bins: int, label: str | None
) -> None:
    tally, known = fed(steps)
    expected = Counter(
        math.ceil(np.float32(each.score) * np.float32(bins)) - 1
        for found in above_floor(known).values()
        for each in found
        if label in (None, each.label)
    )
    assert tally.scores().histogram(bins, label).tolist() == [expected[part] for part in range(bins)]
    assert len(tally.scores()) == sum(len(found) for found in above_floor(known).values())


@given(st.lists(puts), thresholds, st.none() | st.sampled_from(LABELS))
def test_what_is_above_is_what_a_threshold_lets_through(
    steps: list[tuple[int, list[tuple[float, int]] | None, frozenset[int]]], threshold: float, label: str | None
) -> None:
    tally, known = fed(steps)
    labels = None if label is None else frozenset({label})
    expected = [keep_refined(found, Filter(labels, threshold), Refinement()) for found in above_floor(known).values()]
    wanted = sum(len([each for each in found if label in (None, each.label)]) for found in expected)
    assert tally.scores().count_above(threshold, label) == wanted


@given(st.lists(puts), filters, refinements)
def test_counts_are_those_of_filtering_each_image(
    steps: list[tuple[int, list[tuple[float, int]] | None, frozenset[int]]], chosen: Filter, refinement: Refinement
) -> None:
    tally, known = fed(steps)
    chosen = replace(chosen, labels=chosen.labels if chosen.labels is None else chosen.labels - {"3"})
    kept = {place: keep_refined(found, chosen, refinement) for place, found in above_floor(known).items()}
    per_class = Counter(each.label for found in kept.values() for each in found)
    counts = tally.scores().class_counts(chosen, refinement)
    assert {label: count for label, count in counts.items() if count} == dict(per_class)
    per_image = tally.scores().shown_per_image(4, chosen, refinement)
    assert per_image.dtype == np.int32
    assert per_image.tolist() == [len(kept.get(place, ())) for place in range(4)]


@given(st.lists(puts, max_size=12), st.lists(st.tuples(filters, refinements), max_size=6))
def test_counts_do_not_depend_on_what_was_asked_before(
    steps: list[tuple[int, list[tuple[float, int]] | None, frozenset[int]]],
    asked: list[tuple[Filter, Refinement]],
) -> None:
    tally = fed(steps)[0]
    asked_in_turn = tally.scores()
    for chosen, refinement in asked:
        fresh = replace(asked_in_turn)
        assert fresh is not asked_in_turn
        counts = asked_in_turn.shown_per_image(6, chosen, refinement)
        assert counts.dtype == np.int32
        assert counts.tolist() == fresh.shown_per_image(6, chosen, refinement).tolist()
        assert asked_in_turn.class_counts(chosen, refinement) == fresh.class_counts(chosen, refinement)


@given(st.lists(puts), filters, refinements, st.lists(st.booleans(), max_size=6), st.integers(0, 10))
def test_least_sure_comes_first(
    steps: list[tuple[int, list[tuple[float, int]] | None, frozenset[int]]],
    chosen: Filter,
    refinement: Refinement,
    reviewed: list[bool],
    most: int,
) -> None:
    tally, known = fed(steps)
    open_ones = [
        (np.float32(each.score) - np.float32(refinement.threshold_of(each.label, chosen.threshold)), place, each)
        for place, found in above_floor(known).items()
        for each in found
        if place < len(reviewed) and not reviewed[place] and each.index not in known[place][1]
        if refinement.shows(each.label) and (chosen.labels is None or each.label in chosen.labels)
    ]
    order = sorted((distance, place, each.index) for distance, place, each in open_ones if distance > 0)
    found = tally.scores().least_sure(chosen, refinement, np.array(reviewed, bool), most)
    assert found == [(place, index) for _, place, index in order[:most]]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 40), hits, st.frozensets(st.integers(0, 9))), max_size=60), st.integers(1, 50))
def test_values_never_change_and_removed_rows_do_not_pile_up(
    steps: list[tuple[int, list[tuple[float, int]], frozenset[int]]], repeat: int
) -> None:
    tally = Tally()
    snapshots: list[tuple[SessionScores, list[list[object]]]] = []
    for at, (place, found, decided) in enumerate(steps * repeat):
        tally.put(place, detections(*found), decided)
        if at % 7 == 0:
            snapshots.append((tally.scores(), columns(tally.scores())))
    assert all(columns(value) == before for value, before in snapshots)
    rows = len(tally.scores().scores)
    assert rows <= max(1024, 4 * len(tally.scores()) + 64)


def columns(value: SessionScores) -> list[list[object]]:
    arrays = value.scores, value.labels, value.positions, value.indices, value.is_decided
    return [array.tolist() for array in arrays]


def test_an_unchanged_tally_gives_the_same_value() -> None:
    tally = Tally()
    assert tally.scores() is NO_SCORES
    tally.put(3, detections((0.9, 0), (0.01, 1)), {0})
    first = tally.scores()
    tally.put(3, detections((0.9, 0), (0.01, 1)), [0])
    assert tally.scores() is first
    assert first.is_decided.tolist() == [True]
    tally.put(3, detections((0.9, 0), (0.01, 1)))
    assert tally.scores().is_decided.tolist() == [False]
    assert first.is_decided.tolist() == [True]
    tally.remove(7)
    assert 7 not in tally
    assert 3 in tally
    tally.clear()
    assert tally.scores() is NO_SCORES
    assert 3 not in tally


def test_an_image_with_nothing_in_it_is_known() -> None:
    tally = Tally()
    tally.put(0, detections())
    assert 0 in tally
    assert tally.scores().shown_per_image(2, Filter(), Refinement()).tolist() == [0, 0]


def test_snapshots_cannot_be_written_to() -> None:
    tally = Tally()
    tally.put(0, detections((0.9, 0)))
    assert not any(array.flags.writeable for array in (tally.scores().scores, tally.scores().is_decided))
