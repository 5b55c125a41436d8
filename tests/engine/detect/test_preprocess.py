"""Input sizes that transformers never meets in its own tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
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
        {"image_std": [1, 0, 1]},
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


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"size": {"height": 64, "width": 128}, "resample": 3},
        {"do_normalize": False},
        {"image_mean": [0.5, 0.25, 0.5], "image_std": [0.25, 0.5, 1.0], "rescale_factor": 0.01},
        {"pad_size": {"height": 1400, "width": 1333}},
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [(97, 61), (640, 480), (1600, 1200)], ids=str)
def test_tensor_and_mask_are_those_of_the_pil_image_processors(
    tmp_path: Path, config: dict[str, object], size: tuple[int, int]
) -> None:
    from transformers import AutoImageProcessor

    given = {"image_processor_type": "DetrImageProcessor", **config}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(given), "utf-8")
    plain = AutoImageProcessor.from_pretrained(tmp_path, backend="pil")
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))
    expected = plain(images=image, return_tensors="np")
    tensor, mask = Preprocessing.from_config(config, DETR)(image)
    np.testing.assert_allclose(tensor, expected["pixel_values"], rtol=0, atol=1e-4)
    if mask is None:
        assert expected["pixel_mask"].all()
    else:
        np.testing.assert_array_equal(mask, expected["pixel_mask"])
