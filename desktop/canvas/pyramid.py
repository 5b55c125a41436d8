"""Reduced copies of an image, so that painting costs no more than the screen has pixels."""

from __future__ import annotations

import math

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QImage

_STRIP_PIXELS = 1 << 20
_PREVIEW_SIDE = 2048
_SMALLEST_SIDE = 256
_CONVERTED_AT_ONCE = 16 << 20


class Pyramid(QObject):
    """The image and its copies at half, a quarter and so on of its size.

    They are made in strips of a megapixel between events: `QImage.scaled` holds the GIL, so that a thread would block
    the window for longer. A coarse preview is used until then.

    Attributes:
        size: Of the whole image, pixels.
        preview: The image at no more than 2,048 pixels a side.

    Signals:
        grown: Another level was made.
    """

    grown = pyqtSignal()

    def __init__(self, image: QImage, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._format = QImage.Format_ARGB32_Premultiplied if image.hasAlphaChannel() else QImage.Format_RGB32
        if image.width() * image.height() <= _CONVERTED_AT_ONCE:
            image = image.convertToFormat(self._format)
        self.size = image.size()
        self.preview = self._coarse(image)
        self._levels = [image]
        self._next: QImage | None = None
        self._rows_done = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._make_strip)
        self._timer.start(0)

    @property
    def complete(self) -> bool:
        """Whether every level exists."""
        return not self._timer.isActive()

    def at_scale(self, scale: float) -> QImage:
        """Return the smallest existing copy with at least `scale` pixels for each pixel of the image."""
        wanted = max(0, math.floor(math.log2(1 / scale))) if scale < 1 else 0
        if wanted < len(self._levels):
            return self._levels[wanted]
        return self._levels[-1] if self.complete else self.preview

    def _coarse(self, image: QImage) -> QImage:
        if max(image.width(), image.height()) <= _PREVIEW_SIDE:
            return image
        return image.scaled(_PREVIEW_SIDE, _PREVIEW_SIDE, Qt.AspectRatioMode.KeepAspectRatio)

    def _make_strip(self) -> None:
        source = self._levels[-1]
        if max(source.width(), source.height()) <= _SMALLEST_SIDE:
            self._timer.stop()
            return
        width, height = (source.width() + 1) // 2, (source.height() + 1) // 2
        if self._next is None:
            self._next = QImage(width, height, self._format)
            self._rows_done = 0
            if self._next.isNull():
                self._timer.stop()
                return
        rows = min(max(1, _STRIP_PIXELS // (4 * width)), height - self._rows_done)
        self._write(self._next, _halved(source, self._rows_done, rows, self._format))
        self._rows_done += rows
        if self._rows_done == height:
            self._levels.append(self._next)
            self._next = None
            self.grown.emit()

    def _write(self, level: QImage, strip: QImage) -> None:
        start = self._rows_done * level.bytesPerLine()
        pixels, scaled = level.bits(), strip.constBits()
        assert pixels is not None
        assert scaled is not None
        pixels.setsize(level.sizeInBytes())
        pixels[start : start + strip.sizeInBytes()] = scaled.asstring(strip.sizeInBytes())


def _halved(source: QImage, first_row: int, rows: int, pixel_format: QImage.Format) -> QImage:
    """Return `rows` rows of the half-size copy of `source`, from its row `first_row` on."""
    taken = min(2 * rows, source.height() - 2 * first_row)
    strip = source.copy(0, 2 * first_row, source.width(), taken).convertToFormat(pixel_format)
    smooth = Qt.TransformationMode.SmoothTransformation
    halved = strip.scaled((source.width() + 1) // 2, rows, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    return halved.convertToFormat(pixel_format)
