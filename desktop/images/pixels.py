"""Converting images between Pillow and Qt."""

from __future__ import annotations

from typing import Any

from PIL import Image
from PyQt5.QtCore import QBuffer, QIODevice
from PyQt5.QtGui import QImage, QPainter

STRIP_PIXELS = 1 << 20
"""Pixels that are copied at a stretch: the copy holds the interpreter, and with it the window's own thread."""


def to_qimage(image: Image.Image) -> QImage:
    """Return an RGB image in the format that Qt draws fastest; the result owns its pixels."""
    shown = QImage(image.width, image.height, QImage.Format.Format_RGB32)
    bits: Any = shown.bits()
    bits.setsize(shown.sizeInBytes())
    pixels, stride = memoryview(bits).cast("B"), shown.bytesPerLine()
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        strip = image.crop((0, top, image.width, bottom))
        pixels[top * stride : bottom * stride] = strip.tobytes("raw", "BGRX")
    return shown


def to_file_bytes(image: QImage) -> bytes:
    """Return a clipboard bitmap as the bytes of a PPM file; transparent parts become white.

    A bitmap whose alpha is 0 everywhere is opaque: programs that know no alpha leave it so.

    PPM, because compressing a screenshot as PNG blocks the window for a second.
    """
    if image.hasAlphaChannel() and not _has_opacity(image):
        image = image.convertToFormat(QImage.Format.Format_ARGB32)
        image.reinterpretAsFormat(QImage.Format.Format_RGB32)
    flat = QImage(image.size(), QImage.Format.Format_RGB888)
    flat.fill(0xFFFFFFFF)
    painter = QPainter(flat)
    painter.drawImage(0, 0, image)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    flat.save(buffer, "PPM")
    return bytes(buffer.data())


def _has_opacity(image: QImage) -> bool:
    alpha = image.convertToFormat(QImage.Format.Format_Alpha8)
    bits: Any = alpha.constBits()
    bits.setsize(alpha.sizeInBytes())
    pixels, stride = memoryview(bits).cast("B"), alpha.bytesPerLine()
    none = bytes(alpha.width())
    return any(pixels[row * stride : row * stride + len(none)] != none for row in range(alpha.height()))
