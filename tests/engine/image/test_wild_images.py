"""Sound files that decoders stumble over, and files that are told as what they are."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import ImageError
from engine.image.decode import decode_image, decode_with_warnings

Encode = Callable[..., bytes]
MEBIBYTE = 1 << 20


def chunk(kind: bytes, body: bytes, is_sound: bool = True) -> bytes:
    checksum = zlib.crc32(kind + body) ^ (not is_sound)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def with_chunk(png: bytes, *chunks: bytes, before: bytes = b"IDAT") -> bytes:
    at = png.index(before) - 4
    return png[:at] + b"".join(chunks) + png[at:]


def png(header: tuple[int, int, int, int], rows: bytes, *chunks: bytes) -> bytes:
    """A PNG of width, height, bits and colour type; each row of `rows` begins with its filter, 0."""
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0))
    return start + b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def noise_bytes(count: int) -> bytes:
    return random.Random(1).randbytes(count)


def error_of(data: bytes) -> ImageError:
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    assert caught.value.message.endswith(".")
    return caught.value


@pytest.fixture
def plain(picture: Image.Image, encode: Encode) -> bytes:
    return encode(picture, "PNG")


LONG = b"a" * (3 * MEBIBYTE)
ANCILLARY = {
    "long text": chunk(b"tEXt", b"Comment\0" + LONG),
    "long compressed text": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG)),
    "long international text": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + LONG),
    "compressed international text": chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(LONG)),
    "text in hundreds": chunk(b"tEXt", b"k\0" + b"v" * 300_000) * 80,
    "long profile": chunk(b"iCCP", b"name\0\0" + zlib.compress(noise_bytes(2 * MEBIBYTE))),
    "profile that is no profile": chunk(b"iCCP", b"name\0\0" + b"no zlib"),
    "text of a wrong checksum": chunk(b"tEXt", b"Software\0x", False),
    "profile of a wrong checksum": chunk(b"iCCP", b"name\0\0" + zlib.compress(b"x" * 200), False),
    "EXIF of a wrong checksum": chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\1\0\0\0\6\0\0\0\0\0\0\0", False),
    "time of a wrong length": chunk(b"tIME", b"\0"),
    "resolution of a wrong length": chunk(b"pHYs", b"\0"),
    "gamma of no length": chunk(b"gAMA", b""),
    "broken text": chunk(b"zTXt", b"Comment\0\0no zlib") + chunk(b"iTXt", b"") + chunk(b"tEXt", b""),
    "private": chunk(b"prVt", noise_bytes(100)),
    "animation of nothing": chunk(b"acTL", struct.pack(">II", 0, 0)),
    "transparency of a wrong checksum": chunk(b"tRNS", b"\0\1\0\2\0\3", False),
}


@pytest.mark.parametrize("name", ANCILLARY)
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_ancillary_chunks_of_a_png_do_not_matter(plain: bytes, picture: Image.Image, name: str, before: bytes) -> None:
    decoded = decode_with_warnings(with_chunk(plain, ANCILLARY[name], before=before))
    assert (decoded.pixels, decoded.warnings) == (picture, ())


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE"])
def test_a_wrong_checksum_of_a_critical_chunk_is_damage(picture: Image.Image, encode: Encode, kind: bytes) -> None:
    data = bytearray(encode(picture.quantize(8), "PNG"))
    at = data.index(kind)
    data[at + 4 + int.from_bytes(data[at - 4 : at], "big")] ^= 1
    assert error_of(bytes(data)).code == "image_truncated"


def test_orientation_of_a_png_is_followed_wherever_it_stands(plain: bytes, picture: Image.Image) -> None:
    exif = chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\1\0\3\0\0\0\0\0\0")
    turned = picture.transpose(Image.Transpose.ROTATE_180)
    for before in (b"IDAT", b"IEND"):
        assert decode_image(with_chunk(plain, exif, ANCILLARY["long text"], before=before)) == turned


MEASURE = """
import re, sys
from pathlib import Path
import psutil
from engine.errors import ImageError
from engine.image.decode import decode_image
data = sys.stdin.buffer.read()
decode_image(bytes.fromhex(sys.argv[1]))
before = psutil.Process().memory_info().rss
try:
    decode_image(data)
except ImageError:
    pass
print(int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024 - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_text_bombs_cost_no_memory(plain: bytes, kind: bytes) -> None:
    """FAULTS 3, of text: 500 MB in half a MiB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(500)) + packer.flush()
    head = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"k\0\0"}[kind]
    bomb = with_chunk(plain, chunk(kind, head + packed))
    run = [sys.executable, "-c", MEASURE, plain.hex()]
    done = subprocess.run(run, input=bomb, capture_output=True, check=True)
    assert int(done.stdout) < 50 * MEBIBYTE


@pytest.mark.parametrize(("bits", "transparent"), [(1, 0), (1, 1), (2, 2), (4, 9), (8, 200), (16, 51_400), (16, 0)])
def test_the_transparent_grey_of_a_png_is_white(bits: int, transparent: int) -> None:
    levels = {1: [0, 1] * 4, 2: [0, 1, 2, 3], 4: [0, 9], 8: [0, 9, 200], 16: [0, 9, 51_400, 51_401]}[bits]
    text = "".join(f"{level:0{bits}b}" for level in levels)
    data = png((len(levels), 1, bits, 0), b"\0" + int(text, 2).to_bytes(len(text) // 8, "big"))
    shown = np.asarray(decode_image(data))[0, :, 0]
    expected = [255 if level == transparent else int(shade) for level, shade in zip(levels, shown, strict=True)]
    marked = with_chunk(data, chunk(b"tRNS", struct.pack(">H", transparent)))
    assert np.asarray(decode_image(marked))[0, :, 0].tolist() == expected


@pytest.mark.parametrize(("bits", "full"), [(8, 255), (16, 65_535)])
def test_the_transparent_colour_of_a_png_is_white(bits: int, full: int) -> None:
    kind = "B" if bits == 8 else "H"
    pixels = struct.pack(f">9{kind}", full, 0, 0, 0, full, 0, 0, 0, 0)
    data = png((3, 1, bits, 2), b"\0" + pixels, chunk(b"tRNS", struct.pack(">3H", full, 0, 0)))
    assert np.asarray(decode_image(data))[0].tolist() == [[255, 255, 255], [0, 255, 0], [0, 0, 0]]


def bmp_v5(pixels: np.ndarray[Any, Any]) -> bytes:
    """A bitmap with masks for all four channels, as the clipboard of Windows has it; BGRA, bottom up."""
    height, width = pixels.shape[:2]
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    dib = struct.pack("<IiiHHIIiiII", 124, width, height, 1, 32, 3, pixels.size, 0, 0, 0, 0) + masks
    dib += b"BGRs" + bytes(124 - len(dib) - 4)
    body = pixels[::-1].tobytes()
    return b"BM" + struct.pack("<IHHI", 14 + len(dib) + len(body), 0, 0, 14 + len(dib)) + dib + body


def icon(pixels: np.ndarray[Any, Any], kind: int) -> bytes:
    height, width = pixels.shape[:2]
    dib = struct.pack("<IiiHHIIiiII", 40, width, 2 * height, 1, 32, 0, 0, 0, 0, 0, 0)
    image = dib + pixels[::-1].tobytes() + bytes(-(-width // 32) * 4 * height)
    entry = struct.pack("<BBBBHHII", width, height, 0, 0, 1, 32, len(image), 22)
    return struct.pack("<HHH", 0, kind, 1) + entry + image


BITMAPS: dict[str, Callable[[np.ndarray[Any, Any]], bytes]] = {
    "bmp": bmp_v5,
    "ico": lambda pixels: icon(pixels, 1),
    "cur": lambda pixels: icon(pixels, 2),
}


@pytest.mark.parametrize("name", BITMAPS)
def test_a_bitmap_without_any_opacity_is_opaque(name: str) -> None:
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:, :, 2] = 200
    assert decode_image(BITMAPS[name](pixels)).getpixel((3, 3)) == (200, 0, 0)
    pixels[0, 0, 3] = 255
    image = decode_image(BITMAPS[name](pixels))
    assert (image.getpixel((0, 0)), image.getpixel((3, 3))) == ((200, 0, 0), (255, 255, 255))


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_rotation_by_xmp_alone_is_not_followed(picture: Image.Image, encode: Encode, kind: str) -> None:
    """As in browsers: EXIF alone turns an image."""
    if kind == "PNG":
        data = with_chunk(encode(picture, kind), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    elif kind == "TIFF":
        data = encode(picture, kind, tiffinfo={700: XMP})
    else:
        data = encode(picture, kind, xmp=XMP)
    assert XMP in data
    assert decode_image(data).size == picture.size


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_exif_goes_before_xmp(picture: Image.Image, encode: Encode, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    assert decode_image(encode(picture, kind, xmp=XMP, exif=exif)).size == picture.size
    exif[0x0112] = 8
    assert decode_image(encode(picture, kind, xmp=XMP, exif=exif)).size == picture.size[::-1]


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 12345\n"


def test_a_git_lfs_pointer_is_told_with_the_way_out() -> None:
    error = error_of(POINTER)
    assert error.code == "lfs_pointer"
    assert "git lfs pull" in error.message


NAMED = {
    "JPEG 2000": [b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99), b"\xff\x4f\xff\x51" + bytes(99)],
    "JPEG XL": [b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), b"\xff\x0a" + bytes(99)],
    "JPEG XR": [b"II\xbc\x01" + bytes(99)],
    "Camera raw": [b"IIU\0" + bytes(99), b"FUJIFILMCCD-RAW 0201", b"\0\0\0\x18ftypcrx \0\0\0\1", b"IIRO\x08\0"],
    "OpenEXR": [b"\x76\x2f\x31\x01\x02\0\0\0"],
    "DICOM": [bytes(128) + b"DICM" + bytes(99)],
    "FITS": [b"SIMPLE  =                    T"],
    "Radiance HDR": [b"#?RADIANCE\n"],
    "SVG": [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<?xml version='1.0'?>\n<!-- a -->\n<svg width='1'/>"],
}


@pytest.mark.parametrize("name", NAMED)
def test_other_formats_are_named(name: str) -> None:
    for data in NAMED[name]:
        error = error_of(data)
        assert (error.code, name in error.message) == ("image_unsupported", True)


def test_real_jpeg_2000_is_named(picture: Image.Image) -> None:
    for suffix in ("JP2", "J2K"):
        out = io.BytesIO()
        out.name = f"image.{suffix.lower()}"
        picture.save(out, "JPEG2000")
        assert "JPEG 2000" in error_of(out.getvalue()).message
