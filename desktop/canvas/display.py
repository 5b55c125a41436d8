"""Brightness, contrast and opacity of what is displayed; the model and exports do not use them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PyQt5.QtCore import QRect
from PyQt5.QtGui import QImage

MOST = 100
"""Brightness and contrast go from minus this to this."""

_TILE_SIDE = 512
_MOST_KEPT = 128
_OPAQUE = np.uint32(0xFF000000)


@dataclass(frozen=True, slots=True)
class DisplaySettings:
    """How image, boxes and labels are displayed.

    Attributes:
        brightness, contrast: -100..100; 0 shows the image as it is.
        box_opacity, label_opacity: 0..1.
    """

    brightness: int = 0
    contrast: int = 0
    box_opacity: float = 1.0
    label_opacity: float = 1.0

    @property
    def shows_the_pixels(self) -> bool:
        """Whether the image is displayed unchanged."""
        return self.brightness == 0 and self.contrast == 0


@lru_cache(maxsize=8)
def lookup_table(brightness: int, contrast: int) -> bytes:
    """Return the 256 displayed levels: contrast scales around the middle, brightness adds."""
    levels = np.arange(256) / 255 - 0.5
    slope = (1 + contrast / MOST) if contrast < 0 else 1 / (1 - contrast / (MOST * 1.02))
    shown = levels * slope + 0.5 + brightness / MOST
    return np.clip(np.rint(shown * 255), 0, 255).astype(np.uint8).tobytes()


class AdjustedTiles:
    """Adjusted parts of images, made when they are painted and cached."""

    def __init__(self) -> None:
        self._table = lookup_table(0, 0)
        self._tiles: OrderedDict[tuple[int, int, int], QImage] = OrderedDict()

    def set_display(self, display: DisplaySettings) -> None:
        """Use other settings."""
        self._table = lookup_table(display.brightness, display.contrast)
        self._tiles.clear()

    def clear(self) -> None:
        """Clear the cache."""
        self._tiles.clear()

    def covering(self, image: QImage, pixels: QRect) -> list[tuple[QRect, QImage]]:
        """Return the adjusted tiles that cover these `pixels` of `image`, each with its place in the image."""
        columns = range(pixels.left() // _TILE_SIDE, pixels.right() // _TILE_SIDE + 1)
        rows = range(pixels.top() // _TILE_SIDE, pixels.bottom() // _TILE_SIDE + 1)
        tiles = [self._tile(image, column, row) for row in rows for column in columns]
        while len(self._tiles) > max(_MOST_KEPT, len(tiles)):
            self._tiles.popitem(last=False)
        return tiles

    def _tile(self, image: QImage, column: int, row: int) -> tuple[QRect, QImage]:
        place = QRect(column * _TILE_SIDE, row * _TILE_SIDE, _TILE_SIDE, _TILE_SIDE).intersected(image.rect())
        key = image.cacheKey(), column, row
        if key not in self._tiles:
            self._tiles[key] = adjusted(image.copy(place), self._table)
        self._tiles.move_to_end(key)
        return place, self._tiles[key]


def adjusted(image: QImage, table: bytes) -> QImage:
    """Return `image` with each level of red, green and blue replaced according to `table`."""
    plain = image.convertToFormat(QImage.Format_ARGB32 if image.hasAlphaChannel() else QImage.Format_RGB32)
    bits = plain.constBits()
    assert bits is not None
    before = bits.asstring(plain.sizeInBytes())
    words = np.frombuffer(bytearray(before.translate(table)), np.uint32)
    if plain.hasAlphaChannel():
        words &= ~_OPAQUE
        words |= np.frombuffer(before, np.uint32) & _OPAQUE
    else:
        words |= _OPAQUE
    pixels = words.tobytes()
    return QImage(pixels, plain.width(), plain.height(), plain.bytesPerLine(), plain.format()).copy()
