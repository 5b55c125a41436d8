"""Bytes to images: limits, damage, orientation, colour."""

from __future__ import annotations

import base64
import io
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps

from engine.errors import ImageError
from engine.image.decode import Limits, decode_image
from engine.image.formats import format_of

Encode = Callable[..., bytes]

LOSSLESS = ["png", "apng", "lossless webp", "animated webp", "bmp", "tiff", "lzw tiff", "ico", "bmp ico", "ppm"]
ALL = [
    *LOSSLESS,
    "jpeg",
    "progressive jpeg",
    "cmyk jpeg",
    "palette png",
    "gif",
    "webp",
    "jpeg tiff",
    "fax tiff",
    "avif",
]


def code_of(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(ImageError) as caught:
        decode_image(data, limits or Limits())
    assert caught.value.message.endswith(".")
    return caught.value.code


def near(image: Image.Image, expected: Any, tolerance: float) -> bool:
    return bool(np.abs(np.asarray(image, float) - np.asarray(expected, float)).mean() <= tolerance)


@pytest.mark.parametrize("name", ALL)
def test_every_format_is_read(files: dict[str, bytes], picture: Image.Image, name: str) -> None:
    """FAULTS 8, 9: the first frame of animations; AVIF."""
    image = decode_image(files[name])
    assert (type(image), image.mode, image.size, image.info) == (Image.Image, "RGB", (64, 48), {})
    assert near(image, picture, 0 if name in LOSSLESS else 130 if name == "fax tiff" else 12)


@pytest.mark.parametrize(
    "data", [b"text", b"<!doctype html><title>a.jpg</title>", b"\0" * 100, b"%PDF-1.7", b"8BPS\0\1", b"P7\n"]
)
def test_other_data_is_not_an_image(data: bytes) -> None:
    """FAULTS 1: text, HTML named .jpg."""
    assert code_of(data) == "not_an_image"


def test_an_empty_file() -> None:
    """FAULTS 1: empty file."""
    assert code_of(b"") == "image_empty"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore:::PIL")
def test_a_cut_file_is_reported_or_whole(files: dict[str, bytes], name: str) -> None:
    """FAULTS 2: cut anywhere, an image comes out as it is or not at all; no grey half."""
    data = files[name]
    whole = decode_image(data)
    cuts = {*range(20), *range(len(data) - 40, len(data)), *range(0, len(data), 1 + len(data) // 300)}
    codes = set()
    for cut in sorted(cuts):
        try:
            assert decode_image(data[:cut]) == whole, cut
        except ImageError as error:
            codes.add(error.code)
    assert codes == {"image_empty", "not_an_image", "image_truncated"}


@pytest.mark.parametrize("name", ALL)
def test_half_a_file_is_truncated(files: dict[str, bytes], picture: Image.Image, encode: Encode, name: str) -> None:
    """FAULTS 2: half."""
    data = encode(picture, "GIF") if name == "gif" else encode(picture, "PNG") if name == "apng" else files[name]
    assert code_of(data[: len(data) // 2]) == "image_truncated"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(side: int = 40_000) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
        + chunk(b"IEND", b"")
    )


def gif_bomb(screen: int, frame: int, disposal: int) -> bytes:
    control = b"!\xf9\x04" + bytes([disposal << 2]) + b"\0\0\0\0"
    image = b"," + struct.pack("<HHHHB", 0, 0, frame, frame, 0) + b"\x02\x02\x4c\x01\0;"
    return b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + bytes(6) + control + image


def ico_bomb(image: bytes) -> bytes:
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(image), 22) + image


def tiff_bomb(side: int = 40_000, tile: int = 0) -> bytes:
    sized = {256: side, 257: side, 258: 8, 259: 5 if tile else 1, 262: 1, 277: 1}
    placed = {322: tile, 323: tile, 324: 8, 325: 100} if tile else {273: 8, 278: side, 279: 100}
    entries = sorted((sized | placed).items())
    return (
        b"II*\0"
        + struct.pack("<IH", 8, len(entries))
        + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
        + bytes(200)
    )


def avif_bomb(avif: bytes) -> bytes:
    at = avif.index(b"ispe") + 8
    return avif[:at] + struct.pack(">II", 16_000, 16_000) + avif[at + 8 :]


def jpeg_bomb(jpeg: bytes) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", 65_000, 65_000) + jpeg[at + 4 :]


@pytest.fixture
def bombs(files: dict[str, bytes]) -> dict[str, bytes]:
    """Small files that claim to be huge."""
    dib = struct.pack("<IiiHHIIiiII", 40, 40_000, 80_000, 1, 32, 0, 0, 0, 0, 0, 0)
    return {
        "png": png_bomb(),
        "gif": gif_bomb(40_000, 40_000, 0),
        "gif that clears": gif_bomb(40_000, 40_000, 2),
        "gif frame": gif_bomb(1, 40_000, 2),
        "ico of png": ico_bomb(png_bomb()),
        "ico of bmp": ico_bomb(dib + bytes(100)),
        "tiff": tiff_bomb(),
        "tiff tile": tiff_bomb(100, 40_000),
        "bmp": b"BM"
        + struct.pack("<IHHI", 0, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 40_000, 40_000, 1, 8, 1, 0, 0, 0, 0, 0),
        "webp": b"RIFF"
        + struct.pack("<I", 30)
        + b"WEBPVP8X"
        + struct.pack("<II", 10, 0)
        + b"\xff\x3f\0\xff\x3f\0"
        + bytes(20),
        "ppm": b"P6 40000 40000 255\n" + bytes(100),
        "slow ppm": b"P3 3000 3000 255\n" + b"0 " * 100,
        "jpeg": jpeg_bomb(files["jpeg"]),
        "avif": avif_bomb(files["avif"]),
    }


def test_pixel_bombs_are_refused_from_the_header(bombs: dict[str, bytes]) -> None:
    """FAULTS 3: PNG, GIF, ICO, TIFF and the others."""
    for name, data in bombs.items():
        assert code_of(data) == "too_many_pixels", name


MEASURE = """
import base64, re, sys
from pathlib import Path
import psutil
from engine.errors import ImageError
from engine.image.decode import decode_image
*small, count = sys.stdin.read().split("\\n")
data = [base64.b64decode(line) for line in small]
for each in data[: int(count)]:
    decode_image(each)
before = psutil.Process().memory_info().rss
for each in data[int(count) :]:
    try:
        decode_image(each)
        raise SystemExit("decoded")
    except ImageError:
        pass
peak = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())
print(int(peak[1]) * 1024 - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_pixel_bombs_cost_no_memory(bombs: dict[str, bytes], files: dict[str, bytes]) -> None:
    """FAULTS 3: RSS +50 MB at most, at its peak."""
    lines = [base64.b64encode(data).decode() for data in (*files.values(), *bombs.values())]
    text = "\n".join([*lines, str(len(files))])
    done = subprocess.run([sys.executable, "-c", MEASURE], input=text, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50 << 20


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO", "PPM"])
def test_the_pixel_limit_is_exact(encode: Encode, kind: str) -> None:
    """FAULTS 4: at the limit passes, one more does not."""
    options = {"sizes": [(10, 10)]} if kind == "ICO" else {}
    data = encode(Image.new("RGB", (10, 10)), kind, **options)
    assert decode_image(data, Limits(max_pixels=100)).size == (10, 10)
    assert code_of(data, Limits(max_pixels=99)) == "too_many_pixels"


def test_the_byte_limit_is_exact(files: dict[str, bytes]) -> None:
    data = files["png"]
    decode_image(data, Limits(max_bytes=len(data)))
    with pytest.raises(ImageError, match=r"larger than 0\.5 MiB"):
        decode_image(bytes(600_000), Limits(max_bytes=1 << 19))
    assert code_of(data, Limits(max_bytes=len(data) - 1)) == "too_many_bytes"


def test_large_images_within_the_limit_warn_of_nothing(encode: Encode) -> None:
    """FAULTS 4: over Pillow's own limit, under ours."""
    data = encode(Image.new("1", (9_500, 9_500), 1), "TIFF", compression="group4")
    assert decode_image(data).size == (9_500, 9_500)


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (3, 1000), (20000, 1)])
def test_extreme_shapes(encode: Encode, size: tuple[int, int]) -> None:
    """FAULTS 5."""
    for kind in ("PNG", "TIFF", "BMP"):
        assert decode_image(encode(Image.new("RGB", size), kind)).size == size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(picture: Image.Image, encode: Encode, kind: str, orientation: int) -> None:
    """FAULTS 6: orientation 1 to 8, the same image as upright."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    upright = decode_image(encode(picture, kind, exif=exif, **options))
    tagged = Image.new("RGB", picture.size)
    tagged.getexif()[0x0112] = orientation
    expected = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    shown = picture.transpose(Image.Transpose(expected[orientation])) if orientation > 1 else picture
    assert upright.size == shown.size == ImageOps.exif_transpose(tagged).size
    assert near(upright, shown, 6)


@pytest.mark.parametrize("orientation", [0, 9, 77])
@pytest.mark.filterwarnings("ignore:::PIL")
def test_odd_metadata_is_passed_over(picture: Image.Image, encode: Encode, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert near(decode_image(encode(picture, "JPEG", exif=exif)), picture, 12)
    assert near(decode_image(encode(picture, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")), picture, 12)


def first_pixel(data: bytes) -> tuple[int, ...]:
    pixel = decode_image(data).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


def test_cmyk_is_right_with_and_without_adobes_mark(encode: Encode) -> None:
    """FAULTS 7: CMYK, Adobe's inverted and plain."""
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    adobe = encode(red, "JPEG", quality=100)
    assert b"Adobe" in adobe
    assert near(decode_image(adobe), Image.new("RGB", (16, 16), (255, 0, 0)), 3)
    inverted = encode(ImageChops.invert(red), "JPEG", quality=100)
    at = inverted.index(b"\xff\xee")
    plain = inverted[:at] + inverted[at + 2 + int.from_bytes(inverted[at + 2 : at + 4], "big") :]
    assert near(decode_image(plain), Image.new("RGB", (16, 16), (255, 0, 0)), 3)
    assert near(decode_image(encode(red, "TIFF")), Image.new("RGB", (16, 16), (255, 0, 0)), 0)


def test_sixteen_bit_grey_is_scaled(encode: Encode) -> None:
    """FAULTS 7: 16-bit grey."""
    levels = np.array([[0, 257 * 17, 257 * 128, 65535]], np.uint16)
    for kind in ("PNG", "TIFF"):
        image = decode_image(encode(Image.fromarray(levels), kind))
        assert np.asarray(image)[0].tolist() == [[level] * 3 for level in (0, 17, 128, 255)]
    pgm = b"P5 4 1 65535\n" + levels.astype(">u2").tobytes()
    assert np.asarray(decode_image(pgm))[0, :, 0].tolist() == [0, 17, 128, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 17.0, 255.0], [0, 17, 255]),
        ([0.0, 257.0 * 17, 65535.0], [0, 17, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([float("nan"), 1.0, float("inf")], [0, 255, 255]),
    ],
)
def test_float_grey_is_scaled(encode: Encode, values: list[float], expected: list[int]) -> None:
    """FAULTS 7: 32-bit grey, whatever its range."""
    data = encode(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert np.asarray(decode_image(data))[0, :, 0].tolist() == expected


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_transparent_is_white(encode: Encode, mode: str) -> None:
    """FAULTS 7: palette with transparency, LA, RGBA; white behind."""
    if mode in {"RGBA", "LA"}:
        data = encode(Image.new(mode, (2, 2), 0), "PNG")
    else:
        data = encode(Image.new(mode, (2, 2), 0), "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert first_pixel(data) == (255, 255, 255)


def test_half_transparent_is_mixed_with_white(encode: Encode) -> None:
    """FAULTS 7: RGBA."""
    for kind in ("PNG", "WEBP", "TIFF"):
        pixel = first_pixel(
            encode(Image.new("RGBA", (4, 4), (255, 0, 0, 128)), kind, **({"lossless": True} if kind == "WEBP" else {}))
        )
        assert np.allclose(pixel, (255, 127, 127), atol=1), kind


def test_one_bit_is_black_and_white(encode: Encode) -> None:
    """FAULTS 7: 1-bit."""
    stripes = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    for kind in ("PNG", "TIFF", "BMP"):
        assert np.asarray(decode_image(encode(stripes, kind)))[:, :, 1].tolist() == [[0, 255], [255, 0]]


def test_an_embedded_profile_is_followed(encode: Encode) -> None:
    """FAULTS 7: a profile that swaps red and green, one that is broken."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    named = profile.replace("sRGB".encode("utf-16-be"), "odd1".encode("utf-16-be"))
    swapped = named.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    assert np.allclose(first_pixel(encode(red, "PNG", icc_profile=swapped)), (0, 255, 0), atol=3)
    for harmless in (profile, b"no profile", named[:200]):
        assert first_pixel(encode(red, "PNG", icc_profile=harmless)) == (255, 0, 0)


HEIC = struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(100)


def test_heic_names_its_plug_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS 9: HEIC works with the plug-in, else the message names it."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match="pillow-heif") as caught:
        decode_image(HEIC)
    assert caught.value.code == "heic_unsupported"


def test_heic_with_the_plug_in(picture: Image.Image) -> None:
    """FAULTS 9: HEIC works with the plug-in."""
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=95)
    assert near(decode_image(out.getvalue()), picture, 12)
    assert code_of(out.getvalue(), Limits(max_pixels=64 * 48 - 1)) == "too_many_pixels"
    assert code_of(HEIC) == "image_truncated"


def test_many_passes_are_refused(files: dict[str, bytes]) -> None:
    """FAULTS 10: a JPEG of thousands of scans takes no time."""
    data = files["progressive jpeg"]
    at = data.rindex(b"\xff\xda")
    assert code_of(data[:at] + data[at:-2] * 200 + b"\xff\xd9") == "image_truncated"


@pytest.mark.alone
def test_many_small_blocks_take_no_time() -> None:
    """FAULTS 10: no hang."""
    started = time.monotonic()
    assert code_of(gif_bomb(1, 1, 0)[:19] + b"!\xfe" + b"\1x" * 2_000_000) == "image_truncated"
    assert code_of(b"P3 9 9 255\n" + b"#\n" * 500_000) == "image_truncated"
    assert time.monotonic() - started < 1


@pytest.mark.filterwarnings("ignore:::PIL")
def test_fuzzed_files(files: dict[str, bytes]) -> None:
    """FAULTS 10: an ImageError or an image, no other exception, no hang."""
    rng = np.random.default_rng(20)
    outcomes = set()
    for turn in range(1500):
        data = bytearray(list(files.values())[turn % len(files)])
        for _ in range(rng.integers(1, 10)):
            at = int(rng.integers(0, len(data) if rng.random() < 0.5 else min(len(data), 200)))
            change = rng.integers(0, 4)
            if change == 0:
                data[at] = rng.integers(256)
            elif change == 1:
                data[at] = rng.choice([0, 1, 127, 128, 255])
            elif change == 2 and len(data) > 100:
                del data[at : at + int(rng.integers(1, 30))]
            else:
                data[at:at] = rng.bytes(int(rng.integers(1, 20)))
        started = time.monotonic()
        try:
            image = decode_image(bytes(data))
            assert (image.mode, image.info) == ("RGB", {})
            outcomes.add("image")
        except ImageError as error:
            outcomes.add(error.code)
        assert time.monotonic() - started < 5
    assert outcomes >= {"image", "image_truncated", "not_an_image", "too_many_pixels"}


@pytest.mark.parametrize("length", range(16))
def test_the_first_bytes_alone_are_enough_to_tell(files: dict[str, bytes], length: int) -> None:
    for data in files.values():
        format_of(data[:length])
