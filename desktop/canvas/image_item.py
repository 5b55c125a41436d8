"""The graphics item that paints the image at any size and zoom."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt5.QtCore import QRect, QRectF
from PyQt5.QtGui import QImage, QPainter
from PyQt5.QtWidgets import QGraphicsItem, QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from desktop.canvas.display import AdjustedTiles, DisplaySettings
from desktop.canvas.pyramid import Pyramid

CRISP_ZOOM = 3.0
"""From this zoom on, single pixels are shown as squares."""

_PAINTABLE_SIDE = 16_384


class ImageItem(QGraphicsObject):
    """Paints one image; a scene unit is one of its pixels."""

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: Pyramid | None = None
        self._display = DisplaySettings()
        self._adjusted = AdjustedTiles()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)

    def show_image(self, image: QImage | None) -> None:
        """Show `image`, or nothing."""
        self.prepareGeometryChange()
        if self._pyramid is not None:
            self._pyramid.deleteLater()
        self._pyramid = None if image is None or image.isNull() else Pyramid(image, self)
        if self._pyramid is not None:
            self._pyramid.grown.connect(self._repaint)
        self._adjusted.clear()
        self.update()

    def set_display(self, display: DisplaySettings) -> None:
        """Set brightness and contrast."""
        self._display = display
        self._adjusted.set_display(display)
        self.update()

    @property
    def pyramid(self) -> Pyramid | None:
        """The reduced copies of the shown image."""
        return self._pyramid

    def boundingRect(self) -> QRectF:
        if self._pyramid is None:
            return QRectF()
        return QRectF(0, 0, self._pyramid.size.width(), self._pyramid.size.height())

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._pyramid is None:
            return
        level = self._pyramid.at_scale(painter.deviceTransform().m11())
        painter.setRenderHint(QPainter.SmoothPixmapTransform, painter.worldTransform().m11() < CRISP_ZOOM)
        across = self._pyramid.size.width() / level.width()
        down = self._pyramid.size.height() / level.height()
        seen = option.exposedRect
        part = QRectF(seen.x() / across, seen.y() / down, seen.width() / across, seen.height() / down)
        pixels = part.toAlignedRect().adjusted(-1, -1, 1, 1).intersected(level.rect())
        for image, taken, place in self._pieces(level, pixels):
            target = QRectF(place.x() * across, place.y() * down, place.width() * across, place.height() * down)
            painter.drawImage(target, image, QRectF(taken))

    def _pieces(self, level: QImage, pixels: QRect) -> Iterator[tuple[QImage, QRect, QRect]]:
        """Return the images to paint for these `pixels` of `level`: the part of each, and its place in the level."""
        if not self._display.shows_the_pixels:
            for place, tile in self._adjusted.covering(level, pixels):
                yield tile, tile.rect(), place
        elif max(level.width(), level.height()) > _PAINTABLE_SIDE:
            cut = level.copy(pixels)
            yield cut, cut.rect(), pixels
        else:
            yield level, pixels, pixels

    def _repaint(self) -> None:
        self.update()
