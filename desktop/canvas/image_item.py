"""The image in the scene, at any size and zoom."""

from __future__ import annotations

from PyQt5.QtCore import QRectF
from PyQt5.QtGui import QImage, QPainter
from PyQt5.QtWidgets import QGraphicsItem, QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from desktop.canvas.pyramid import Pyramid

CRISP_ZOOM = 3.0
"""From this zoom on, single pixels are shown as squares."""

_PAINTABLE_SIDE = 16_384


class ImageItem(QGraphicsObject):
    """Shows one image; one unit of the scene is one of its pixels."""

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: Pyramid | None = None
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)

    def show_image(self, image: QImage | None) -> None:
        """Show `image`, or nothing."""
        self.prepareGeometryChange()
        if self._pyramid is not None:
            self._pyramid.deleteLater()
        self._pyramid = None if image is None or image.isNull() else Pyramid(image, self)
        if self._pyramid is not None:
            self._pyramid.grown.connect(self._repaint)
        self.update()

    @property
    def pyramid(self) -> Pyramid | None:
        """The copies of the image that is shown."""
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
        target = QRectF(pixels.x() * across, pixels.y() * down, pixels.width() * across, pixels.height() * down)
        if max(level.width(), level.height()) > _PAINTABLE_SIDE:
            cut = level.copy(pixels)
            painter.drawImage(target, cut, QRectF(cut.rect()))
        else:
            painter.drawImage(target, level, QRectF(pixels))

    def _repaint(self) -> None:
        self.update()
