"""JPEG files that lack something: their end marker, rows of blocks, a part of their middle."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import ImageError
from engine.image.decode import decode_image, decode_with_warnings
from engine.image.jpeg_scans import read_jpeg, segments
from engine.image.thumbnails import make_thumbnail

END = b"\xff\xd9"
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "optimised": {"optimize": True},
    "not subsampled": {"subsampling": 0, "quality": 95},
    "progressive": {"progressive": True},
    "restarts by row": {"restart_marker_rows": 1},
    "restarts by blocks": {"restart_marker_blocks": 5},
    "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_mode = pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])


@functools.cache
def jpeg(kind: str, mode: str = "RGB", noise: int = 30) -> bytes:
    y, x = np.mgrid[0:300, 0:400]
    texture = np.random.default_rng(3).integers(0, noise, (300, 400, 1))
    image = Image.fromarray((np.stack([x * 0.5, y * 0.5, 200 - x * 0.3], -1) + texture).clip(0, 255).astype(np.uint8))
    out = io.BytesIO()
    image.convert(mode).save(out, "JPEG", **KINDS[kind])
    return out.getvalue()


def code_of(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    return caught.value.code


def opened(data: bytes) -> tuple[np.ndarray[Any, Any], list[str]]:
    decoded = decode_with_warnings(data)
    return np.asarray(decoded.pixels), [warning.code for warning in decoded.warnings]


def outcome_of(data: bytes) -> str:
    """The code of the error or of the warning; empty for a whole image."""
    try:
        return "".join(opened(data)[1])
    except ImageError as error:
        return error.code


def changed_rows(data: bytes, whole: bytes) -> int:
    return int((np.asarray(decode_image(data)) != np.asarray(decode_image(whole))).any((1, 2)).sum())


@each_kind
@each_mode
def test_what_is_decoded_is_what_pillow_decodes(kind: str, mode: str) -> None:
    data = jpeg(kind, mode)
    pixels, warnings = opened(data)
    assert warnings == []
    if mode != "CMYK":
        assert (pixels == np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))).all()


@each_kind
@each_mode
@pytest.mark.parametrize("noise", [2, 30])
@pytest.mark.parametrize("behind", [b"", b"\xff", bytes(10), bytes(5000), b"\xff" * 300])
def test_without_its_end_marker_it_is_whole(kind: str, mode: str, noise: int, behind: bytes) -> None:
    """One or two bytes short, and what a disk puts in their place."""
    data = jpeg(kind, mode, noise)
    whole = decode_image(data)
    for short in (1, 2):
        decoded = decode_with_warnings(data[:-short] + (behind if short == 2 else b""))
        assert (decoded.pixels, decoded.warnings) == (whole, ())
    assert make_thumbnail(data[:-2], 100) == make_thumbnail(data, 100)


@each_kind
@each_mode
@pytest.mark.parametrize("behind", [END, b"", bytes(3000), bytes(3000) + END, b"\xff" * 3000, END + bytes(99)])
def test_what_lacks_rows_is_refused(kind: str, mode: str, behind: bytes) -> None:
    """Cut at many places, with an end marker put behind and without, or filled up to its size."""
    data = jpeg(kind, mode)
    start = read_jpeg(data).scans[0].start + 100
    for cut in np.linspace(start, 0.85 * len(data), 10).astype(int):
        assert code_of(data[:cut] + behind) == "image_truncated", cut


@each_kind
@pytest.mark.parametrize("noise", [2, 30])
def test_near_its_end_it_is_never_silently_incomplete(kind: str, noise: int) -> None:
    """With an end marker less than a row of blocks may be missing: told, but for the last block's last bits."""
    data = jpeg(kind, noise=noise)
    for missing in range(3, 80):
        outcome = outcome_of(data[:-missing] + END)
        if outcome != "image_truncated":
            assert changed_rows(data[:-missing] + END, data) <= 20
            assert outcome == "image_damaged" or missing < 24


@each_kind
def test_near_its_end_without_a_marker_it_is_whole_or_refused(kind: str) -> None:
    data = jpeg(kind)
    whole = decode_image(data)
    for missing in range(3, 60):
        outcome = outcome_of(data[:-missing])
        assert outcome == "image_truncated" or (outcome == "" and decode_image(data[:-missing]) == whole)


@pytest.mark.parametrize("hole", ["cut out", "zeros", "noise"])
@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
@each_kind
def test_a_hole_in_the_middle_is_told(kind: str, place: float, hole: str) -> None:
    data = jpeg(kind)
    start, end = int(place * len(data)), int(place * len(data)) + 400
    filling = {"cut out": b"", "zeros": bytes(400), "noise": np.random.default_rng(1).bytes(400)}[hole]
    filling = filling.replace(b"\xff", b"\xfe")
    may_heal = kind.startswith("progressive") and hole != "zeros"
    outcome = outcome_of(data[:start] + filling + data[end:])
    assert outcome in {"image_damaged", "image_truncated"} or may_heal


@pytest.mark.parametrize("lost", [1, 2, 3, 7, 9])
@pytest.mark.parametrize("filling", [b"", bytes(500)])
def test_behind_lost_intervals_all_is_in_its_place(lost: int, filling: bytes) -> None:
    data = jpeg("restarts by row")
    pieces = list(segments(data, read_jpeg(data).scans[0]))
    start, end = pieces[5][0] - 2, pieces[5 + lost][0] - 2
    holed = data[:start] + filling + data[end:]
    pixels, warnings = opened(holed)
    whole = np.asarray(decode_image(data))
    assert warnings == ["image_damaged"]
    below = (5 + lost) * 16 + 1
    assert (pixels[: 4 * 16] == whole[: 4 * 16]).all()
    assert (pixels[below:] == whole[below:]).all()


def test_lost_intervals_at_the_end_are_missing_rows() -> None:
    data = jpeg("restarts by row")
    pieces = list(segments(data, read_jpeg(data).scans[0]))
    for lost in (1, 2, 8):
        assert code_of(data[: pieces[-lost][0] - 2] + END) == "image_truncated"


@pytest.mark.parametrize("level", [0, 127, 128, 129, 255])
@each_kind
def test_grey_rows_that_are_in_the_file_are_no_damage(kind: str, level: int) -> None:
    """libjpeg fills what it lacks with 128: a file that really is so is whole."""
    out = io.BytesIO()
    Image.new("RGB", (400, 300), (level,) * 3).save(out, "JPEG", **KINDS[kind])
    assert opened(out.getvalue())[1] == []
    assert opened(out.getvalue()[:-2])[1] == []


@each_kind
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_flat_blocks_may_be_zeros(kind: str, mode: str) -> None:
    """A code of one bit makes long runs of zero bytes at the end of a scan: no part that was never written."""
    image = Image.new(mode, (1000, 1400), "white")
    image.paste(Image.effect_noise((400, 300), 90), (100, 100))
    out = io.BytesIO()
    image.save(out, "JPEG", **KINDS[kind])
    assert opened(out.getvalue())[1] == []
    assert opened(out.getvalue()[:-2])[1] == []


@each_kind
@pytest.mark.parametrize("behind", [b"", bytes(5000), b"trailer" * 1000, b"\xff\xd8\xff\xe0 another image"])
def test_what_is_behind_the_end_does_not_matter(kind: str, behind: bytes) -> None:
    data = jpeg(kind)
    assert opened(data + behind)[1] == []


@pytest.mark.parametrize("padding", [b"\0" * 5000, b"\xff" * 40])
def test_padding_before_the_end_marker_is_no_damage(padding: bytes) -> None:
    for kind in KINDS:
        assert opened(jpeg(kind)[:-2] + padding + END)[1] == []


@pytest.mark.parametrize(("marker", "bits", "named"), [(0xC3, 8, "Lossless JPEG"), (0xC1, 12, "12-bit JPEG")])
def test_kinds_that_cannot_be_decoded_are_named(marker: int, bits: int, named: str) -> None:
    data = jpeg("baseline")
    at = data.index(b"\xff\xc0")
    changed = data[: at + 1] + bytes([marker]) + data[at + 2 : at + 4] + bytes([bits]) + data[at + 5 :]
    with pytest.raises(ImageError, match=named) as caught:
        decode_image(changed)
    assert caught.value.code == "image_unsupported"
