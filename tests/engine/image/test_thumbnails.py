"""Thumbnails and their cache."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import ImageError
from engine.image.decode import decode_image
from engine.image.limits import Limits
from engine.image.thumbnails import ThumbnailCache, file_key, make_thumbnail, scale_down

SIDE = 128


def file_of(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def halves(width: int, height: int) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_fits_and_looks_like_the_image(kind: str) -> None:
    small = make_thumbnail(file_of(halves(1600, 900), kind), SIDE)
    assert (small.mode, small.size) == ("RGB", (128, 72))
    pixels = np.asarray(small).astype(int)
    assert abs(pixels[:, :60] - (255, 0, 0)).max() < 8
    assert abs(pixels[:, 68:] - (0, 0, 255)).max() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = file_of(halves(1600, 900), "JPEG", exif=exif, quality=95)
    expected = scale_down(decode_image(data), SIDE)
    small = make_thumbnail(data, SIDE)
    assert small.size == expected.size
    assert abs(np.asarray(small).astype(int) - np.asarray(expected).astype(int)).mean() < 2


def test_colours_are_those_of_the_image(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        expected = np.asarray(scale_down(decode_image(data), SIDE)).astype(int)
        assert abs(np.asarray(make_thumbnail(data, SIDE)).astype(int) - expected).mean() < 3, name


def test_cmyk_is_not_inverted() -> None:
    data = file_of(halves(1600, 900).convert("CMYK"), "JPEG")
    expected = np.asarray(scale_down(decode_image(data), SIDE)).astype(int)
    assert abs(np.asarray(make_thumbnail(data, SIDE)).astype(int) - expected).mean() < 2


@pytest.mark.parametrize(("size", "expected"), [((1, 1), (1, 1)), ((20_000, 1), (128, 1)), ((3, 1000), (1, 128))])
def test_odd_shapes(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """FAULTS 5."""
    for kind in ("PNG", "JPEG"):
        assert make_thumbnail(file_of(Image.new("RGB", size), kind), SIDE).size == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_invalid_image_says_why(kind: str) -> None:
    """FAULTS 1 to 4: as opening it does."""
    whole = file_of(halves(1600, 900), kind)
    for data, limits, code in (
        (b"", Limits(), "image_empty"),
        (b"<html>", Limits(), "not_an_image"),
        (whole[: len(whole) * 2 // 3], Limits(), "image_truncated"),
        (whole, Limits(max_pixels=1600 * 900 - 1), "too_many_pixels"),
        (whole, Limits(max_bytes=len(whole) - 1), "too_many_bytes"),
    ):
        with pytest.raises(ImageError) as caught:
            make_thumbnail(data, SIDE, limits)
        assert caught.value.code == code


def test_a_large_jpeg_is_not_decoded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.image import decode

    sizes: list[tuple[int, int]] = []
    to_rgb = decode.to_rgb

    def seen(opened: Any, name: str) -> Image.Image:
        sizes.append(opened.size)
        return to_rgb(opened, name)

    monkeypatch.setattr(decode, "to_rgb", seen)
    make_thumbnail(file_of(halves(4000, 3000), "JPEG"), SIDE)
    assert sizes == [(500, 375)]


def test_the_cache_keeps_and_makes_room(tmp_path: Path) -> None:
    cache = ThumbnailCache(tmp_path / "thumbnails", SIDE, max_files=10)
    image = halves(128, 72)
    for number in range(30):
        cache.put(f"{number:032x}", image)
        stored = next(path for path in tmp_path.rglob("*.jpg") if path.stem.endswith(f"{number:02x}"))
        os.utime(stored, (number, number))
    used = cache.get(f"{1:032x}")
    assert used is not None
    assert used.size == (128, 72)
    ThumbnailCache(tmp_path / "thumbnails", SIDE, max_files=10).put("f" * 32, image)
    kept = [number for number in range(30) if cache.get(f"{number:032x}") is not None]
    assert kept == [1, *range(23, 30)]
    assert cache.get("f" * 32) is not None


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    image = halves(128, 72)
    for number in range(5):
        ThumbnailCache(tmp_path, SIDE).put(f"{number:032x}", image)
    [size] = {path.stat().st_size for path in tmp_path.rglob("*.jpg")}
    ThumbnailCache(tmp_path, SIDE, max_bytes=3 * size).put("f" * 32, image)
    assert len(list(tmp_path.rglob("*.jpg"))) == 2


def test_what_is_damaged_is_not_shown(tmp_path: Path) -> None:
    cache = ThumbnailCache(tmp_path, SIDE)
    cache.put("a" * 32, halves(128, 72))
    [stored] = tmp_path.rglob("*.jpg")
    whole = stored.read_bytes()
    for content in (b"", b"junk", whole[:400], file_of(halves(4000, 3000), "JPEG"), bytes(2 << 20)):
        stored.write_bytes(content)
        assert cache.get("a" * 32) is None
    cache.put("a" * 32, halves(128, 72))
    assert cache.get("a" * 32) is not None
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".jpg"]


def test_a_cache_that_cannot_be_written_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    cache = ThumbnailCache(tmp_path / "file", SIDE)
    cache.put("a" * 32, halves(128, 72))
    assert cache.get("a" * 32) is None


def test_a_changed_file_has_another_key(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"one")
    keys = {file_key(str(file))}
    os.utime(file, ns=(0, time.time_ns() + 10**9))
    keys.add(file_key(str(file)))
    status = file.stat()
    file.write_bytes(b"three")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    keys.add(file_key(str(file)))
    file.rename(tmp_path / "b.jpg")
    keys.add(file_key(str(tmp_path / "b.jpg")))
    assert len(keys) == 4
