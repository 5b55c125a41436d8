"""Placement of labels."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from engine.detect.detection import Box
from engine.render.label_layout import place_labels

BOUNDS: Box = (0.0, 0.0, 400.0, 300.0)
SIZE = (80.0, 20.0)


def place(*boxes: Box, size: tuple[float, float] = SIZE) -> list[tuple[float, float]]:
    return place_labels(boxes, [size] * len(boxes), BOUNDS)


def overlap(one: tuple[float, float], other: tuple[float, float], size: tuple[float, float] = SIZE) -> bool:
    return abs(one[0] - other[0]) < size[0] - 1e-6 and abs(one[1] - other[1]) < size[1] - 1e-6


def test_nothing_to_place() -> None:
    assert place_labels([], [], BOUNDS) == []


def test_above_where_there_is_room() -> None:
    assert place((100, 100, 250, 200)) == [(100, 80)]


def test_below_where_there_is_none_above() -> None:
    assert place((100, 10, 250, 200)) == [(100, 200)]


def test_beside_where_there_is_no_room_above_or_below() -> None:
    assert place((100, 10, 250, 295)) == [(250, 10)]


def test_inside_where_there_is_nothing_else() -> None:
    assert place((5, 5, 395, 295)) == [(5, 5)]


def test_moved_sideways_to_stay_inside() -> None:
    assert place((390, 100, 400, 200)) == [(320, 80)]
    assert place((0, 100, 5, 200)) == [(0, 80)]


def test_the_first_gets_the_best_place() -> None:
    first, second, third = place(*[(100, 100, 250, 200)] * 3)
    assert first == (100, 80)
    assert not any(overlap(one, other) for one, other in itertools.combinations((first, second, third), 2))


@pytest.mark.parametrize("count", [10, 20])
def test_labels_of_equal_boxes_do_not_overlap(count: int) -> None:
    placed = place(*[(100, 100, 300, 200)] * count)
    assert not any(overlap(one, other) for one, other in itertools.combinations(placed, 2))


def test_a_box_that_is_partly_seen_has_its_label_at_the_part() -> None:
    (x, y) = place((-500, -500, 900, 150))[0]
    assert (x, y) == (0, 150)


@pytest.mark.parametrize("box", [(50, 50, 50, 50), (400, 300, 400, 300), (0, 0, 0, 0), (500, 500, 600, 600)])
def test_degenerate_boxes_have_labels_inside_the_bounds(box: Box) -> None:
    ((x, y),) = place(box)
    assert 0 <= x <= 400 - SIZE[0]
    assert 0 <= y <= 300 - SIZE[1]


def test_a_label_larger_than_the_bounds_starts_at_their_corner() -> None:
    assert place((10, 10, 20, 20), size=(900, 900)) == [(0, 0)]


def test_any_boxes_get_labels_inside_the_bounds() -> None:
    rng = np.random.default_rng(4)
    corners = rng.uniform(-100, 500, (200, 4))
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners.tolist()]
    sizes = rng.uniform(5, 120, (200, 2)).tolist()
    for (x, y), (width, height) in zip(place_labels(boxes, sizes, BOUNDS), sizes, strict=True):
        assert 0 <= x <= 400 - width + 1e-9
        assert 0 <= y <= 300 - height + 1e-9


@pytest.mark.alone
def test_hundreds_take_no_time() -> None:
    rng = np.random.default_rng(5)
    starts = rng.uniform(0, 3500, (300, 2))
    boxes = [(x, y, x + 300.0, y + 200.0) for x, y in starts.tolist()]
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        place_labels(boxes, [(160.0, 30.0)] * 300, (0, 0, 4000, 3000))
        best = min(best, time.perf_counter() - started)
    assert best < 0.03


def test_a_continued_layout_equals_the_whole_one_at_the_edges() -> None:
    """Labels that slide back into the bounds cover what they cover there, not where they would stick out."""
    numbers = np.random.default_rng(3)
    corners = numbers.uniform((-30, -30), (400, 300), (200, 2))
    boxes: list[Box] = [(x, y, x + 40.0, y + 30.0) for x, y in corners.tolist()]
    sizes = [(74.0, 21.0)] * len(boxes)
    bounds = (0.0, 0.0, 420.0, 320.0)
    whole = place_labels(boxes, sizes, bounds)
    rects = [(x, y, x + 74.0, y + 21.0) for x, y in whole]
    for known in (1, 50, 120, 199):
        assert place_labels(boxes[known:], sizes[known:], bounds, rects[:known]) == whole[known:]
