"""Cutting images into tiles, and making one answer of what is in them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from engine.detect.detection import Detections
from engine.detect.merging import MOST_KEPT, merge
from engine.detect.tiling import Tile, Tiling, tile_count, tiles

TAKES = (640, 480)
NAMES = {0: "cat", 1: "dog"}
Row = tuple[float, int, tuple[float, float, float, float]]
TILING = Tiling(640, 0.2)
LEFT, RIGHT = Tile(0, 0, 640, 640), Tile(512, 0, 1152, 640)
LOWER_LEFT, LOWER_RIGHT = Tile(0, 512, 640, 1152), Tile(512, 512, 1152, 1152)
SIZE = (1152, 1152)


def having(width: int, height: int, *rows: Row) -> Detections:
    scores, label_ids, boxes = zip(*rows, strict=True) if rows else ((), (), ())
    arrays = np.array(scores, np.float32), np.array(label_ids, np.int64), np.array(boxes, np.float32).reshape(-1, 4)
    return Detections.from_arrays(*arrays, NAMES, width, height)


def look(tile: Tile, *rows: Row) -> tuple[Tile, Detections]:
    """What a tile's model returns for boxes in pixels of the image."""
    left, top, right, bottom = tile.edges
    moved = [(score, label, (x0 - left, y0 - top, x1 - left, y1 - top)) for score, label, (x0, y0, x1, y1) in rows]
    return tile, having(right - left, bottom - top, *moved)


def merged(*parts: tuple[Tile, Detections], whole: tuple[Row, ...] = ()) -> list[tuple[float, str, tuple[int, ...]]]:
    found = merge(having(*SIZE, *whole), parts, TILING)
    return [(round(each.score, 2), each.label, tuple(round(edge) for edge in each.box)) for each in found]


@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (641, 5000), (16_384, 8192), (1000, 961), (999, 20_000)])
@pytest.mark.parametrize("tiling", [Tiling(), Tiling(320, 0.0), Tiling(999, 0.5), Tiling(64, 0.1)])
def test_tiles_cover_the_image_overlap_enough_and_are_all_of_a_size(width: int, height: int, tiling: Tiling) -> None:
    cut = tiles(width, height, TAKES, tiling)
    assert len(cut) == tile_count(width, height, TAKES, tiling) == len(set(cut)) > 1
    sizes = {(tile.right - tile.left, tile.bottom - tile.top) for tile in cut}
    assert sizes == {(min(tiling.side, width), min(tiling.side, height))}
    for length, starts in ((width, {tile.left for tile in cut}), (height, {tile.top for tile in cut})):
        ordered = sorted(starts)
        assert ordered[0] == 0
        assert ordered[-1] + min(tiling.side, length) == length
        steps = np.diff(ordered)
        assert (steps <= tiling.side - tiling.shared + 1).all()
    assert [(tile.top, tile.left) for tile in cut] == sorted((tile.top, tile.left) for tile in cut)


@pytest.mark.parametrize(
    ("size", "side", "count"),
    [((960, 720), 320, 0), ((961, 720), 320, 12), ((960, 721), 320, 12), ((2000, 1500), 2000, 0), ((64, 64), 64, 0)],
)
def test_what_the_model_hardly_shrinks_or_one_tile_holds_is_not_cut(
    size: tuple[int, int], side: int, count: int
) -> None:
    assert tile_count(*size, TAKES, Tiling(side)) == len(tiles(*size, TAKES, Tiling(side))) == count


@pytest.mark.parametrize("made", [(63, 0.2), (8193, 0.2), (640, -0.1), (640, 0.51)])
def test_tiles_that_make_no_sense_are_refused(made: tuple[int, float]) -> None:
    with pytest.raises(ValueError, match="no such tiles"):
        Tiling(*made)


def test_different_tilings_have_different_keys() -> None:
    keys = {Tiling(side, overlap).key for side in (640, 320) for overlap in (0.2, 0.25)}
    assert keys == {"tiles:640:0.2", "tiles:320:0.2", "tiles:640:0.25", "tiles:320:0.25"}


def test_boxes_come_back_to_where_they_are_in_the_image() -> None:
    box = (700.0, 600.0, 760.0, 660.0)
    assert merged(look(LEFT), look(LOWER_RIGHT, (0.9, 1, box))) == [(0.9, "dog", (700, 600, 760, 660))]


def test_a_thing_in_two_tiles_is_found_once_with_its_better_score() -> None:
    in_left, in_right = (530.0, 100.0, 600.0, 180.0), (533.0, 98.0, 602.0, 181.0)
    assert merged(look(LEFT, (0.7, 0, in_left)), look(RIGHT, (0.8, 0, in_right))) == [
        (0.8, "cat", (533, 98, 602, 181)),
    ]


def test_boxes_of_different_classes_or_of_one_tile_do_not_compete() -> None:
    box, near = (530.0, 100.0, 600.0, 180.0), (534.0, 100.0, 604.0, 180.0)
    assert len(merged(look(LEFT, (0.7, 0, box)), look(RIGHT, (0.8, 1, box)))) == 2
    assert len(merged(look(LEFT, (0.7, 0, box), (0.6, 0, near)))) == 2
    both = (0.7, 0, box), (0.6, 0, near)
    assert [score for score, *_ in merged(look(LEFT, *both), look(RIGHT, *both))] == [0.7, 0.6]


def test_what_an_edge_cut_off_goes_where_a_neighbour_has_all_of_it_even_if_less_sure() -> None:
    cut, all_of_it = (560.0, 100.0, 640.0, 180.0), (560.0, 100.0, 800.0, 180.0)
    assert merged(look(LEFT, (0.9, 0, cut)), look(RIGHT, (0.6, 0, all_of_it))) == [(0.6, "cat", (560, 100, 800, 180))]


def test_a_doubtful_box_does_not_displace_a_piece_that_the_model_is_sure_of() -> None:
    cut, doubtful = (560.0, 100.0, 640.0, 180.0), (560.0, 100.0, 800.0, 180.0)
    found = merged(look(LEFT, (0.9, 0, cut)), look(RIGHT, (0.05, 0, doubtful)))
    assert found[0] == (0.9, "cat", (560, 100, 640, 180))


def test_what_ends_at_the_edge_of_the_image_is_not_cut() -> None:
    at_edge = (0.0, 0.0, 70.0, 80.0)
    larger = (0.0, 0.0, 300.0, 300.0)
    found = merged(look(LEFT, (0.5, 0, at_edge)), whole=((0.9, 0, larger),))
    assert [score for score, *_ in found] == [0.9, 0.5]


def test_pieces_of_what_no_tile_has_whole_are_joined() -> None:
    left, right = (300.0, 100.0, 640.0, 180.0), (512.0, 102.0, 900.0, 182.0)
    assert merged(look(LEFT, (0.8, 0, left)), look(RIGHT, (0.7, 0, right))) == [(0.8, "cat", (300, 100, 900, 182))]


def test_four_pieces_at_a_corner_are_one_thing() -> None:
    parts = (
        look(LEFT, (0.6, 0, (300.0, 350.0, 640.0, 640.0))),
        look(RIGHT, (0.9, 0, (512.0, 350.0, 820.0, 640.0))),
        look(LOWER_LEFT, (0.7, 0, (300.0, 512.0, 640.0, 840.0))),
        look(LOWER_RIGHT, (0.8, 0, (512.0, 512.0, 820.0, 840.0))),
    )
    assert merged(*parts) == [(0.9, "cat", (300, 350, 820, 840))]


def test_pieces_that_are_not_in_line_stay_two_things() -> None:
    left, right = (500.0, 100.0, 640.0, 180.0), (512.0, 170.0, 700.0, 250.0)
    assert len(merged(look(LEFT, (0.8, 0, left)), look(RIGHT, (0.7, 0, right)))) == 2


def test_a_large_thing_is_what_the_whole_image_says_and_not_its_pieces() -> None:
    parts = (
        look(LEFT, (0.95, 0, (200.0, 200.0, 640.0, 640.0))),
        look(RIGHT, (0.9, 0, (512.0, 200.0, 1000.0, 640.0))),
        look(LOWER_LEFT, (0.9, 0, (200.0, 512.0, 640.0, 1000.0))),
        look(LOWER_RIGHT, (0.9, 0, (512.0, 512.0, 1000.0, 1000.0))),
    )
    assert merged(*parts, whole=((0.6, 0, (203.0, 205.0, 1001.0, 998.0)),)) == [(0.6, "cat", (203, 205, 1001, 998))]


def test_a_small_thing_on_a_large_one_of_its_class_stays() -> None:
    small, large = (250.0, 250.0, 300.0, 300.0), (100.0, 100.0, 600.0, 600.0)
    found = merged(look(LEFT, (0.9, 0, small)), whole=((0.8, 0, large),))
    assert [score for score, *_ in found] == [0.9, 0.8]


def test_the_coarse_box_of_a_small_thing_in_the_whole_image_gives_way() -> None:
    close, from_afar = (250.0, 250.0, 280.0, 280.0), (240.0, 235.0, 285.0, 290.0)
    assert merged(look(LEFT, (0.6, 0, close)), whole=((0.9, 0, from_afar),)) == [(0.6, "cat", (250, 250, 280, 280))]
    assert merged(look(LEFT), whole=((0.9, 0, from_afar),)) == [(0.9, "cat", (240, 235, 285, 290))]


def test_the_best_thousand_are_kept_sorted_numbered_and_the_same_every_time() -> None:
    numbers = random.Random(7)
    cut = tiles(4000, 3000, TAKES, TILING)

    def rows() -> list[Row]:
        corners = [(numbers.uniform(0, 600), numbers.uniform(0, 600)) for _ in range(300)]
        return [(numbers.random() ** 4, numbers.randrange(2), (x, y, x + 40, y + 40)) for x, y in corners]

    parts = [(tile, having(640, 640, *rows())) for tile in cut]
    found = merge(having(4000, 3000, *rows()), parts, TILING)
    assert len(found) == MOST_KEPT
    assert found.indices.tolist() == list(range(MOST_KEPT))
    assert (np.diff(found.scores) <= 0).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes[:, 2] <= 4000).all()
    assert found.tiling == TILING
    again = merge(having(4000, 3000), [], TILING)
    assert len(again) == 0
    twice = merge(found, parts, TILING), merge(found, parts, TILING)
    assert twice[0].boxes.tolist() == twice[1].boxes.tolist()
    assert twice[0].scores.tolist() == twice[1].scores.tolist()
