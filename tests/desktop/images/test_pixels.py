"""Converting images between Pillow and Qt."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtGui import QColor, QImage

from desktop.images.pixels import STRIP_PIXELS, to_file_bytes, to_qimage


@pytest.mark.parametrize(
    "size", [(1, 1), (3, 5), (1000, 3), (2000, STRIP_PIXELS // 2000 * 2 + 7), (STRIP_PIXELS + 5, 2)]
)
def test_every_pixel_arrives(size: tuple[int, int]) -> None:
    width, height = size
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    shown = to_qimage(Image.fromarray(pixels))
    assert (shown.width(), shown.height()) == size
    for x, y in [(0, 0), (width - 1, height - 1), (width // 2, height // 2), (0, height - 1)]:
        assert QColor(shown.pixel(x, y)).getRgb()[:3] == tuple(pixels[y, x].tolist())


def test_a_bitmap_of_the_clipboard_becomes_a_file_on_white() -> None:
    image = QImage(3, 2, QImage.Format.Format_ARGB32)
    image.fill(QColor(255, 0, 0, 0))
    image.setPixelColor(1, 1, QColor(10, 20, 30))
    with Image.open(io.BytesIO(to_file_bytes(image))) as opened:
        assert opened.getpixel((0, 0)) == (255, 255, 255)
        assert opened.getpixel((1, 1)) == (10, 20, 30)


@pytest.mark.parametrize("format", [QImage.Format.Format_ARGB32, QImage.Format.Format_RGBA8888])
@pytest.mark.parametrize(
    ("alphas", "expected"), [((0, 0), (200, 200)), ((0, 255), (255, 200)), ((255, 255), (200, 200))]
)
def test_a_clipboard_bitmap_without_any_opacity_is_opaque(
    format: QImage.Format, alphas: tuple[int, int], expected: tuple[int, int]
) -> None:
    image = QImage(2, 1, format)
    for column, alpha in enumerate(alphas):
        image.setPixelColor(column, 0, QColor(200, 200, 200, alpha))
    with Image.open(io.BytesIO(to_file_bytes(image))) as opened:
        assert [opened.getpixel((column, 0)) for column in (0, 1)] == [(each,) * 3 for each in expected]
