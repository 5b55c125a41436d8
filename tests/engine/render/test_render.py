"""Detections drawn on images."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops

from engine.detect.detection import Box, Detections
from engine.errors import ImageError
from engine.render.fonts import bundled, has_glyph, runs
from engine.render.palette import label_colour
from engine.render.render import draw_detections, encode_image


def found(size: tuple[int, int], *boxes: Box, label: str = "qr_code", score: float = 0.98) -> Detections:
    scores = np.full(len(boxes), score, np.float32)
    return Detections.from_arrays(
        scores, np.zeros(len(boxes), np.int64), np.array(boxes, np.float32).reshape(-1, 4), {0: label}, *size
    )


def changed(image: Image.Image, drawn: Image.Image) -> tuple[int, int, int, int] | None:
    return ImageChops.difference(image, drawn).getbbox()


def test_the_image_itself_stays_as_it_is() -> None:
    image = Image.new("RGB", (200, 200), "grey")
    before = image.tobytes()
    drawn = draw_detections(image, found(image.size, (20, 60, 120, 160)))
    assert image.tobytes() == before
    assert (drawn.size, drawn.mode) == (image.size, "RGB")
    assert changed(image, drawn) is not None
    assert changed(image, draw_detections(image, found(image.size))) is None


def test_the_outline_is_on_the_edge_in_the_classes_colour() -> None:
    image = Image.new("RGB", (400, 400), "grey")
    drawn = draw_detections(image, found(image.size, (100, 100, 300, 300)))
    for point in ((100, 200), (299, 200), (200, 100), (200, 299)):
        assert drawn.getpixel(point) == label_colour("qr_code")
    assert drawn.getpixel((100, 200)) == drawn.getpixel((99, 200)) != drawn.getpixel((102, 200))
    assert drawn.getpixel((200, 200)) == drawn.getpixel((80, 200)) == (128, 128, 128)


def test_broken_lines_for_classes_that_have_them() -> None:
    image = Image.new("RGB", (400, 400), "grey")
    drawn = draw_detections(image, found(image.size, (100, 100, 300, 300), label="remote"))
    edge = {drawn.getpixel((x, 299)) for x in range(110, 290)}
    solid = draw_detections(image, found(image.size, (100, 100, 300, 300), label="aztec"))
    assert len({solid.getpixel((x, 299)) for x in range(110, 290)}) == 1
    assert edge == {label_colour("remote"), (128, 128, 128)}


def test_text_and_lines_grow_with_the_image() -> None:
    plates = []
    for scale in (1, 4):
        image = Image.new("RGB", (800 * scale, 600 * scale), "grey")
        box = (200.0 * scale, 200.0 * scale, 600.0 * scale, 400.0 * scale)
        drawn = draw_detections(image, found(image.size, box))
        bounds = changed(image, drawn)
        assert bounds is not None
        plates.append(200 * scale - bounds[1])
    assert plates[1] > 2.5 * plates[0] > 2.5 * 12


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (3, 1000), (20000, 1), (60, 40)])
def test_any_size_can_be_drawn_on(size: tuple[int, int]) -> None:
    """FAULTS 5: 1x1, 1x1000, 3x1000, 20000x1."""
    width, height = size
    boxes = [(0, 0, width, height), (0, 0, 0, 0), (width, height, width, height), (0.4, 0.4, 0.6, 0.6)]
    drawn = draw_detections(Image.new("RGB", size), found(size, *boxes))
    assert drawn.size == size
    assert Image.open(io.BytesIO(encode_image(drawn, "PNG"))).size == size


def test_other_modes_become_rgb() -> None:
    assert draw_detections(Image.new("L", (50, 50)), found((50, 50), (5, 5, 40, 40))).mode == "RGB"


@pytest.mark.parametrize(
    "label", ["二维码", "冷藏鲜牛奶", "Ärger", "Ωж", "a\nb\0c", "\ud800", "", "x" * 500, "مرحبا", "🙂"]
)
def test_any_label_can_be_drawn(label: str) -> None:
    image = Image.new("RGB", (600, 400), "grey")
    drawn = draw_detections(image, found(image.size, (50, 100, 300, 300), label=label))
    assert changed(image, drawn) is not None


def test_chinese_is_drawn_as_chinese() -> None:
    """Different characters look different, and none like the box of a missing glyph."""
    image = Image.new("RGB", (600, 400), "grey")

    def plate(label: str) -> bytes:
        drawn = draw_detections(image, found(image.size, (50, 100, 300, 300), label=label))
        grey = drawn.crop((50, 70, 140, 98)).convert("L").point(lambda level: 255 if level > 110 else 0)
        return grey.tobytes()

    assert [path for _, path in runs("二维码")] == [bundled()]
    assert len({plate(label) for label in ("二维码", "条形码", "数据包", "\ue000\ue000\ue000")}) == 4


def test_a_font_without_a_character_is_reported() -> None:
    assert has_glyph(bundled(), "猫")
    assert not has_glyph(bundled(), "\ue000")
    assert not has_glyph(bundled().with_name("missing.otf"), "a")


def test_lines_grow_with_the_image() -> None:
    image = Image.new("RGB", (3000, 3000), "grey")
    drawn = draw_detections(image, found(image.size, (1000, 1000, 2000, 2000)))
    row = [drawn.getpixel((x, 1500)) for x in range(980, 1020)]
    assert 6 <= row.count(label_colour("qr_code")) <= 10


def test_combining_marks_stay_with_their_base() -> None:
    assert list(runs("二维码 0.98")) == [("二维码 0.98", bundled())]
    assert "".join(piece for piece, _ in runs("a猫🙂é مرحبا ไทย")) == "a猫🙂é مرحبا ไทย"
    assert len(list(runs("e\u0301e\u0301"))) == 1


def test_hundreds_of_boxes_are_quick() -> None:
    rng = np.random.default_rng(6)
    starts = rng.uniform(0, 2800, (300, 2))
    boxes = [(x, y, x + 200.0, y + 150.0) for x, y in starts.tolist()]
    image = Image.new("RGB", (4000, 3000))
    started = time.perf_counter()
    draw_detections(image, found(image.size, *boxes, label="二维码"))
    assert time.perf_counter() - started < 1


def test_encoded_files_have_their_format() -> None:
    image = Image.new("RGB", (30, 20), "red")
    for kind in ("JPEG", "PNG"):
        read = Image.open(io.BytesIO(encode_image(image, kind)))
        assert (read.format, read.size) == (kind, (30, 20))
        assert not read.getexif()


def test_an_image_too_long_for_jpeg_is_reported() -> None:
    image = Image.new("RGB", (65_501, 1))
    with pytest.raises(ImageError, match="PNG") as caught:
        encode_image(image, "JPEG")
    assert caught.value.code == "too_long_for_jpeg"
    assert encode_image(image, "PNG").startswith(b"\x89PNG")


def test_the_font_has_what_labels_need() -> None:
    """Latin-1, Greek, Cyrillic and all of GB 2312; tabular digits; under 4 MB; its own name, its licence beside it."""
    font = TTFont(bundled())
    points = set(font.getBestCmap())
    hanzi = {ord(bytes((row, cell)).decode("gb2312")) for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFA)}
    assert hanzi <= points
    assert set(map(ord, "AZaz09éßøΩжЯ…—–·×→←↑↓，。：（）℃")) <= points
    assert len({font["hmtx"][font.getBestCmap()[ord(digit)]][0] for digit in "0123456789"}) == 1
    assert font["name"].getDebugName(1) == "detrdesk Sans"
    assert bundled().stat().st_size < 4_000_000
    assert "SIL OPEN FONT LICENSE" in Path(bundled()).with_name("OFL.txt").read_text("utf-8")
