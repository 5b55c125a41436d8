"""Boxes that are drawn, moved or resized stay in the image and are never flipped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.canvas.geometry import WHOLE, Handle, grip, is_intended, resized, shifted, spanned
from engine.detect.detection import Box

SIZE = (400.0, 300.0)
HANDLES = [Handle(across, down) for across in (-1, 0, 1) for down in (-1, 0, 1) if (across, down) != (0, 0)]

far = st.floats(-1e5, 1e5)
points = st.tuples(far, far)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Inside the image; some have no width, as models give."""
    x0, x1 = sorted(draw(st.lists(st.floats(0, SIZE[0], width=32), min_size=2, max_size=2)))
    y0, y1 = sorted(draw(st.lists(st.floats(0, SIZE[1], width=32), min_size=2, max_size=2)))
    return x0, y0, x1, y1


def is_inside(box: Box) -> bool:
    return 0 <= box[0] <= box[2] <= SIZE[0] and 0 <= box[1] <= box[3] <= SIZE[1]


@given(st.dictionaries(st.integers(), boxes(), max_size=5), points)
def test_moved_boxes_stay_inside_and_keep_their_size(before: dict[int, Box], by: tuple[float, float]) -> None:
    after = shifted(before, by, SIZE)
    assert after.keys() == before.keys()
    for index, box in after.items():
        assert is_inside(box)
        assert box[2] - box[0] == pytest.approx(before[index][2] - before[index][0], abs=1e-6)
        assert box[3] - box[1] == pytest.approx(before[index][3] - before[index][1], abs=1e-6)


@given(st.lists(boxes(), min_size=2, max_size=5), points)
def test_boxes_move_together(before: list[Box], by: tuple[float, float]) -> None:
    after = shifted(dict(enumerate(before)), by, SIZE)
    ways = [(after[at][0] - box[0], after[at][1] - box[1]) for at, box in enumerate(before)]
    assert all(way == pytest.approx(ways[0], abs=1e-6) for way in ways)


@given(boxes(), st.sampled_from(HANDLES), points)
def test_a_resized_box_stays_inside_and_is_never_turned_over(box: Box, handle: Handle, by: tuple[float, float]) -> None:
    after = resized(box, handle, by, SIZE)
    assert is_inside(after)
    for low, high, side in ((0, 2, handle.across), (1, 3, handle.down)):
        room = SIZE[low] - box[low] if side > 0 else box[high]
        smallest = min(1.0, room) if side else box[high] - box[low]
        assert after[high] - after[low] >= smallest - 1e-6


@given(boxes(), st.sampled_from(HANDLES), points)
def test_edges_that_are_not_held_stay(box: Box, handle: Handle, by: tuple[float, float]) -> None:
    after = resized(box, handle, by, SIZE)
    held = (handle.across < 0, handle.down < 0, handle.across > 0, handle.down > 0)
    assert all(new == old for new, old, is_held in zip(after, box, held, strict=True) if not is_held)


def test_an_edge_follows_the_pointer() -> None:
    assert resized((10, 20, 110, 220), Handle(1, -1), (5, -7), SIZE) == (10, 13, 115, 220)


@given(points, points)
def test_a_drawn_box_is_inside_on_whole_pixels_and_the_same_from_any_corner(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    box = spanned(one, other, SIZE)
    assert is_inside(box)
    assert all(edge == round(edge) for edge in box)
    assert box == spanned(other, one, SIZE) == spanned((one[0], other[1]), (other[0], one[1]), SIZE)


@pytest.mark.parametrize(("box", "meant"), [((0, 0, 2, 2), True), ((0, 0, 1, 50), False), ((0, 0, 50, 1), False)])
def test_two_pixels_are_the_least_that_is_intended(box: Box, meant: bool) -> None:
    assert is_intended(box) is meant


@pytest.mark.parametrize(
    ("point", "held"),
    [
        ((100, 100), Handle(-1, -1)),
        ((203, 97), Handle(1, -1)),
        ((98, 150), Handle(-1, 0)),
        ((150, 204), Handle(0, 1)),
        ((150, 150), WHOLE),
        ((150, 207), None),
        ((90, 150), None),
    ],
)
def test_what_the_pointer_takes_hold_of(point: tuple[float, float], held: Handle | None) -> None:
    assert grip((100, 100, 200, 200), point, reach=6) == held


@given(boxes())
def test_every_box_has_a_middle_to_move_it_by(box: Box) -> None:
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    held = grip(box, middle, reach=6)
    assert held is not None
    if box[2] - box[0] > 1e-3 and box[3] - box[1] > 1e-3:
        assert held == WHOLE
