"""Input sizes that transformers never meets in its own tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.detect.families import FAMILIES
from engine.detect.preprocess import MAX_INPUT_PIXELS, Preprocessing

DETR = FAMILIES["detr"]
SIZES = [
    {"shortest_edge": 800, "longest_edge": 1333},
    {"shortest_edge": 800},
    {"height": 640, "width": 480},
    {"max_height": 600, "max_width": 600},
]


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.sampled_from(SIZES))
def test_every_image_has_an_input_size(width: int, height: int, size: dict[str, int]) -> None:
    """FAULTS 5: no side of 0, no tensor without bounds."""
    wide, high = Preprocessing.from_config({"size": size}, DETR).input_size(width, height)
    assert wide >= 1
    assert high >= 1
    assert wide * high <= MAX_INPUT_PIXELS


def test_yolos_sides_are_multiples_of_sixteen() -> None:
    preprocessing = Preprocessing.from_config({"size": {"shortest_edge": 200, "longest_edge": 400}}, FAMILIES["yolos"])
    for size in [(1, 1), (333, 100), (50, 4000)]:
        assert all(side % 16 == 0 and side > 0 for side in preprocessing.input_size(*size))


@pytest.mark.parametrize(
    "config",
    [
        {"size": {"shortest_edge": 0}},
        {"size": {"width": 3}},
        {"size": "large"},
        {"size": [1, 2, 3]},
        {"image_mean": [1, 2]},
        {"resample": 99},
        {"rescale_factor": "x"},
        {"pad_size": {"height": 3}},
    ],
    ids=str,
)
def test_a_config_that_makes_no_sense_is_refused(config: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        Preprocessing.from_config(config, DETR)


def test_what_the_config_leaves_out_comes_from_the_family() -> None:
    rt_detr = Preprocessing.from_config({}, FAMILIES["rt_detr"])
    assert rt_detr.input_size(1000, 10) == (640, 640)
    tensor, mask = rt_detr(Image.new("RGB", (8, 8), "white"))
    assert mask is None
    assert tensor.shape == (1, 3, 640, 640)
    assert tensor.max() == pytest.approx(1.0)
