"""Preprocessing with PyTorch agrees with Pillow to two of 255 levels, whatever the device."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.detect.families import FAMILIES
from engine.detect.preprocess import Preprocessing
from engine.runtimes.gpu_preprocess import GpuPreprocessing, agrees_with_pillow, upload

FILTERS = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]
SIDES = st.integers(1, 70)
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA here")

RESIZES = [
    ((1, 1), (1, 1)),
    ((1, 1), (31, 17)),
    ((3, 1000), (40, 40)),
    ((1000, 1), (40, 40)),
    ((1000, 3), (1, 1)),
    ((97, 61), (97, 61)),
    ((97, 61), (97, 33)),
    ((97, 61), (140, 61)),
    ((97, 61), (211, 133)),
    ((61, 97), (33, 51)),
    ((640, 480), (352, 352)),
    ((480, 640), (352, 352)),
    ((333, 500), (800, 1201)),
]
CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("detr", {}),
    ("detr", {"pad_size": {"height": 1400, "width": 1333}}),
    ("detr", {"do_resize": False}),
    ("detr", {"do_resize": False, "pad_size": {"height": 300, "width": 301}}),
    ("detr", {"do_normalize": False, "do_rescale": False}),
    ("detr", {"size": {"max_height": 200, "max_width": 150}, "resample": 3, "rescale_factor": 0.01}),
    ("detr", {"image_mean": [0.5, 0.25, 0.5], "image_std": [0.25, 0.3, 1.0]}),
    ("rt_detr", {}),
    ("yolos", {"size": {"shortest_edge": 200, "longest_edge": 400}}),
]

Pixels = npt.NDArray[np.uint8]


def noise(width: int, height: int, seed: int = 0, extreme: bool = False) -> Pixels:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return np.where(pixels > 127, 255, 0).astype(np.uint8) if extreme else pixels


def preprocessing_of(family: str = "detr", **config: Any) -> Preprocessing:
    return Preprocessing.from_config(config, FAMILIES[family])


def resizing_to(width: int, height: int, resample: int) -> Preprocessing:
    return preprocessing_of(size={"height": height, "width": width}, resample=resample)


def check_agrees(preprocessing: Preprocessing, pixels: Pixels, device: str = "cpu") -> None:
    expected, expected_mask = preprocessing(Image.fromarray(pixels))
    values, mask = GpuPreprocessing(preprocessing, device)(upload(pixels, device))
    assert (values.device.type, values.dtype, values.is_contiguous()) == (device, torch.float32, True)
    assert values.shape == expected.shape
    levels = np.abs(values.cpu().numpy() - expected) / np.abs(preprocessing.factors)[:, None, None]
    assert levels.max(initial=0) <= 2.01
    assert (levels > 0.5).mean() < 0.05 or levels.size < 9000
    assert (mask is None) == (expected_mask is None)
    if mask is not None and expected_mask is not None:
        assert mask.device.type == device
        np.testing.assert_array_equal(mask.cpu().numpy(), expected_mask, strict=True)


@pytest.mark.parametrize("resample", FILTERS)
@pytest.mark.parametrize(("before", "after"), RESIZES, ids=str)
def test_every_filter_is_that_of_pillow(resample: int, before: tuple[int, int], after: tuple[int, int]) -> None:
    check_agrees(resizing_to(*after, resample), noise(*before))
    check_agrees(resizing_to(*after, resample), noise(*before, extreme=True))


@settings(deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(FILTERS), st.integers(0, 2**32 - 1), st.booleans())
def test_any_sides_any_noise(
    width: int, height: int, wide: int, high: int, resample: int, seed: int, extreme: bool
) -> None:
    check_agrees(resizing_to(wide, high, resample), noise(width, height, seed, extreme))


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from(FILTERS))
def test_any_long_side(length: int, target: int, resample: int) -> None:
    check_agrees(resizing_to(target, 1, resample), noise(length, 1))
    check_agrees(resizing_to(1, target, resample), noise(1, length))


@pytest.mark.parametrize("resample", FILTERS)
def test_a_large_image_made_small(resample: int) -> None:
    check_agrees(resizing_to(352, 352, resample), noise(4000, 3000))


@pytest.mark.parametrize("after", [(90, 40), (91, 40), (89, 40), (120, 40), (120, 100), (120, 101)], ids=str)
def test_the_side_that_loses_more_is_first_where_it_is_in_pillow(after: tuple[int, int]) -> None:
    """Each pass rounds, so that their order shows in the pixels."""
    pixels = noise(100, 100)
    for rows in (59, 60, 61, 79, 80, 81, 82, 100, 101):
        check_agrees(resizing_to(after[0], rows, Image.Resampling.BICUBIC), pixels)


@pytest.mark.parametrize(("family", "config"), CONFIGS, ids=str)
@pytest.mark.parametrize("size", [(97, 61), (160, 237)], ids=str)
def test_tensor_and_mask_of_every_kind_of_config(family: str, config: dict[str, Any], size: tuple[int, int]) -> None:
    check_agrees(preprocessing_of(family, **config), noise(*size))


def test_padding_that_is_too_small_is_refused() -> None:
    preprocessing = preprocessing_of(size={"height": 40, "width": 40}, pad_size={"height": 40, "width": 39})
    with pytest.raises(ValueError, match="pad_size is smaller"):
        preprocessing(Image.new("RGB", (8, 8)))
    with pytest.raises(ValueError, match="pad_size is smaller"):
        GpuPreprocessing(preprocessing, "cpu")(torch.zeros((8, 8, 3), dtype=torch.uint8))


def test_arrays_and_tensors_in_any_memory_layout() -> None:
    preprocessing = resizing_to(50, 30, Image.Resampling.BILINEAR)
    pixels = noise(97, 61)
    read_only = np.asarray(Image.fromarray(pixels))
    assert not read_only.flags.writeable
    check_agrees(preprocessing, read_only)
    check_agrees(preprocessing, pixels[::-2, ::3])
    four = upload(np.dstack([pixels, pixels[..., 0]]), "cpu")
    expected, _ = preprocessing(Image.fromarray(pixels))
    values, _ = GpuPreprocessing(preprocessing, "cpu")(four[:, :, :3])
    np.testing.assert_allclose(values.numpy(), expected, atol=2.01 * preprocessing.factors.max())


def test_what_is_uploaded_is_a_copy() -> None:
    pixels = noise(5, 4)
    tensor = upload(pixels, "cpu")
    pixels[:] = 0
    assert tensor.any()


@pytest.mark.parametrize("resample", FILTERS)
def test_the_probe_passes(resample: int) -> None:
    padded = preprocessing_of("yolos", resample=resample, pad_size={"height": 9, "width": 9})
    assert agrees_with_pillow(padded, "cpu")


def test_a_pillow_that_resizes_differently_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    resize = Image.Image.resize

    def nearest(image: Image.Image, size: tuple[int, int], resample: int) -> Image.Image:
        return resize(image, size, Image.Resampling.NEAREST)

    monkeypatch.setattr(Image.Image, "resize", nearest)
    assert not agrees_with_pillow(preprocessing_of(), "cpu")


@pytest.mark.parametrize("resample", sorted(set(Image.Resampling) - set(FILTERS)))
def test_other_filters_are_left_to_pillow(resample: Image.Resampling) -> None:
    assert not agrees_with_pillow(preprocessing_of(resample=resample), "cpu")


def test_to_import_it_needs_no_torch() -> None:
    code = "import sys, engine.runtimes.gpu_preprocess; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_value_is_read_back_from_the_device() -> None:
    """PyTorch's `meta` device keeps no values: to ask for one, for which a GPU would be waited for, is an error."""
    preprocessing = preprocessing_of(pad_size={"height": 1400, "width": 1333})
    values, mask = GpuPreprocessing(preprocessing, "meta")(upload(noise(640, 480), "meta"))
    assert mask is not None
    assert (values.shape, values.dtype) == ((1, 3, 1400, 1333), torch.float32)
    assert (mask.shape, mask.dtype) == ((1, 1400, 1333), torch.int64)


@CUDA
def test_a_gpu_agrees_with_pillow_too() -> None:
    for resample in FILTERS:
        assert agrees_with_pillow(preprocessing_of(resample=resample), "cuda")
        for before, after in [*RESIZES, ((4000, 3000), (352, 352))]:
            check_agrees(resizing_to(*after, resample), noise(*before), "cuda")
            check_agrees(resizing_to(*after, resample), noise(*before, extreme=True), "cuda")
    for family, config in CONFIGS:
        check_agrees(preprocessing_of(family, **config), noise(97, 61)[::-2, ::3], "cuda")


@CUDA
def test_nobody_waits_for_the_gpu() -> None:
    on_gpu = GpuPreprocessing(preprocessing_of(pad_size={"height": 1400, "width": 1333}), "cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        on_gpu(upload(noise(640, 480), "cuda"))
    finally:
        torch.cuda.set_sync_debug_mode("default")
