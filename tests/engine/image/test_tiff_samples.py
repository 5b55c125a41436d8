"""TIFF samples that Pillow does not show: inverted and packed grey, wide integers, floats, bands."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import ImageError
from engine.image.decode import Limits, decode_image
from tests.engine.image.tiff_file import ASCII, SHORT, tiff

STEPS = np.array([[0, 1, 2, 3]])
SHADES = [0, 85, 170, 255]


def grey(kind: str, most: float) -> Any:
    return (STEPS * most / 3).astype(kind)


def packed(bits: int) -> bytes:
    most = (1 << bits) - 1
    text = "".join(f"{level * most // 3:0{bits}b}" for level in range(4))
    return int(text, 2).to_bytes(len(text) // 8, "big")


def bands(count: int, kind: str = "u1", most: float = 255) -> Any:
    return np.stack([grey(kind, most)] * count, axis=-1)


def shades(data: bytes) -> list[int]:
    pixels = np.asarray(decode_image(data))[0]
    assert (pixels == pixels[:, :1]).all()
    return pixels[:, 0].tolist()  # type: ignore[no-any-return]


def code_of(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(ImageError) as caught:
        decode_image(data, limits or Limits())
    return caught.value.code


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("kind", "most"),
    [("u1", 255), ("u2", 65535), ("u2", 4095), ("u4", 2**32 - 1), ("u4", 1000), ("i4", 1000), ("u8", 2**60)]
    + [("i8", 1000), ("f2", 1), ("f4", 1), ("f4", 1.2), ("f4", 65535), ("f8", 1), ("f8", 1e30)],
)
def test_grey_of_any_samples_both_ways(kind: str, most: float, order: str, compression: int) -> None:
    samples = grey(kind, most)
    assert np.allclose(shades(tiff(samples, 1, order=order, compression=compression)), SHADES, atol=1)
    assert np.allclose(shades(tiff(samples, 0, order=order, compression=compression)), SHADES[::-1], atol=1)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("order", ["<", ">"])
def test_packed_grey_is_of_its_own_range(bits: int, order: str) -> None:
    for photometric, expected in ((1, SHADES), (0, SHADES[::-1])):
        data = tiff(STEPS.astype("u2"), photometric, bits=bits, body=packed(bits), order=order)
        assert np.allclose(shades(data), expected, atol=1)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 8, 12])
@pytest.mark.parametrize(("kind", "most"), [("u1", 255), ("u2", 65535), ("f4", 1), ("f8", 255), ("i2", 300)])
@pytest.mark.parametrize("photometric", [1, 2])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.filterwarnings("ignore:::PIL")
def test_of_many_bands_the_first_three_are_shown(
    count: int, kind: str, most: float, photometric: int, planar: bool
) -> None:
    colours = 3 if photometric == 2 else 1
    if count < colours:
        pytest.skip("no RGB")
    extra = {338: (SHORT, (0,) * (count - colours))} if count > colours else {}
    data = tiff(bands(count, kind, most), photometric, planar=planar, tags=extra)
    assert np.allclose(shades(data), SHADES, atol=1)


def test_the_bands_are_red_green_and_blue() -> None:
    samples = np.array([[[0.0, 0.5, 1.0, 9.0, 9.0]]], np.float32)
    assert decode_image(tiff(samples, 1, tags={338: (SHORT, (0, 0, 0, 0))})).getpixel((0, 0)) == (0, 128, 255)


@pytest.mark.parametrize(("predictor", "mode"), [(2, "I;16"), (3, "F"), (2, "F")])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd"])
def test_every_lossless_compression_and_predictor(mode: str, predictor: int, compression: str) -> None:
    ramp = np.arange(60 * 70).reshape(60, 70) % 1000
    values = (ramp * 65).astype(np.uint16) if mode == "I;16" else (ramp / 999).astype(np.float32)
    out = io.BytesIO()
    tags = {} if compression == "packbits" else {317: predictor}
    try:
        Image.fromarray(values).save(out, "TIFF", compression=compression, tiffinfo=tags)
    except OSError:
        pytest.skip("Pillow cannot write it")
    expected = values / (65535 if mode == "I;16" else 1) * 255
    assert np.abs(np.asarray(decode_image(out.getvalue()))[:, :, 0] - expected).max() <= 1


def test_transparent_bands_have_white_behind_them() -> None:
    samples = np.array([[[0, 65535], [0, 0], [0, 32768]]], np.uint16)
    assert np.allclose(shades(tiff(samples, 1, tags={338: (SHORT, (2,))})), [0, 255, 127], atol=1)


def test_pixels_without_data_do_not_stretch_the_range() -> None:
    samples = np.array([[-9999.0, 0.0, 128.0, 255.0]], np.float32)
    text = b"-9999\0"
    assert shades(tiff(samples, tags={42113: (ASCII, text)}))[1:] == [0, 128, 255]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: tiff(grey("u2", 65535), 32803), "Camera raw"),
        (lambda: tiff(grey("u2", 65535), 34892), "Camera raw"),
        (lambda: tiff(bands(3), 2, tags={50706: (SHORT, (1, 4))}), "Camera raw"),
        (lambda: tiff(grey("c8", 1)), "complex"),
        (lambda: tiff(STEPS.astype("u4"), bits=24, body=bytes(12)), "24-bit"),
        (lambda: tiff(grey("u2", 65535), 32844), "32844"),
        (lambda: tiff(grey("u1", 255), compression=34887, body=bytes(9)), "34887"),
        (lambda: tiff(grey("f4", 1), compression=34887, body=bytes(9)), "34887"),
    ],
)
def test_what_cannot_be_shown_is_named(make: Callable[[], bytes], named: str) -> None:
    with pytest.raises(ImageError, match=named) as caught:
        decode_image(make())
    assert caught.value.code == "image_unsupported"


@pytest.mark.parametrize("kind", ["f4", "f8", "u4"])
@pytest.mark.parametrize("compression", [1, 8])
def test_cut_samples_are_truncated(kind: str, compression: int) -> None:
    noise = np.random.default_rng(1).random((40, 30)) * 200
    data = tiff(noise.astype(kind), compression=compression)
    for cut in (20, 60, 100, 150, len(data) // 2, len(data) - 9):
        assert code_of(data[:cut]) == "image_truncated", cut


@pytest.mark.parametrize("kind", ["u1", "f4", "f8"])
def test_the_pixel_limit_holds_for_all_samples(kind: str) -> None:
    data = tiff(np.zeros((10, 10), kind), compression=8)
    assert decode_image(data, Limits(max_pixels=200)).size == (10, 10)
    assert code_of(data, Limits(max_pixels=99)) == "too_many_pixels"
    wide = tiff(np.zeros((10, 10, 5), kind), compression=8, tags={338: (SHORT, (0,) * 4)})
    if kind != "u1":
        assert code_of(wide, Limits(max_pixels=100)) == "too_many_pixels"


@pytest.mark.parametrize(("orientation", "expected"), [(1, SHADES), (2, SHADES[::-1]), (3, SHADES[::-1])])
def test_orientation_holds_for_all_samples(orientation: int, expected: list[int]) -> None:
    for kind, most in (("u1", 255), ("f8", 1)):
        data = tiff(grey(kind, most), tags={274: (SHORT, (orientation,))})
        assert np.allclose(shades(data), expected, atol=1)
    assert decode_image(tiff(grey("f8", 1), tags={274: (SHORT, (6,))})).size == (1, 4)
