"""The scene: an image and its boxes."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QRectF
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QGraphicsScene

from desktop.canvas.boxes_item import BoxesItem
from desktop.canvas.image_item import ImageItem
from engine.detect.detection import Detections, nothing_found


class ImageScene(QGraphicsScene):
    """One image with its boxes; a unit is a pixel of the image, the origin its top left corner.

    Attributes:
        image: The item that paints the image.
        boxes: The item that paints the boxes.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.image = ImageItem()
        self.boxes = BoxesItem()
        self.addItem(self.image)
        self.addItem(self.boxes)

    def show_image(self, image: QImage | None) -> None:
        """Show `image` without boxes, or nothing."""
        self.image.show_image(image)
        self.setSceneRect(self.image_rect)
        self.show_detections(nothing_found(int(self.image_rect.width()), int(self.image_rect.height())))

    def show_detections(self, detections: Detections) -> None:
        """Show the boxes of detections in the shown image."""
        self.boxes.show_detections(detections)

    @property
    def image_rect(self) -> QRectF:
        """The rectangle of the image; empty without one."""
        return self.image.boundingRect()
