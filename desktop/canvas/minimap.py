"""An overview of the image in a corner, with a frame around the visible part."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PyQt5.QtWidgets import QWidget

from desktop.style.theme import GRID, current_theme

_LARGEST = QSize(176, 128)
_EDGE = 1
_SHADE = 110


class Minimap(QWidget):
    """A small overview of the image.

    Signals:
        moved(QPointF): The view should be centred on this point of the image, in its pixels.
    """

    moved = pyqtSignal(QPointF)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._overview = QPixmap()
        self._scale = 1.0
        self._seen = QRectF()
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.hide()

    def show_image(self, preview: QImage, image_size: QSize) -> None:
        """Show an image of `image_size` by a smaller copy of it."""
        ratio = self.devicePixelRatioF()
        box = image_size.scaled(_LARGEST, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(8, 8))
        fast = preview.scaled(box * 4 * ratio, Qt.AspectRatioMode.IgnoreAspectRatio)
        small = fast.scaled(
            box * ratio, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        self._overview = QPixmap.fromImage(small)
        self._overview.setDevicePixelRatio(ratio)
        self._scale = box.width() / max(1, image_size.width())
        self.resize(box.width() + 2 * _EDGE, box.height() + 2 * _EDGE)
        self.update()

    def show_seen(self, seen: QRectF, is_everything: bool) -> None:
        """Draw a frame around `seen`, in image pixels; hide where the whole image is visible."""
        parent = self.parentWidget()
        if parent is not None:
            corner = parent.rect().bottomRight() - self.rect().bottomRight()
            self.move(corner - QPoint(2 * GRID, 2 * GRID))
        self.setVisible(not is_everything)
        if seen != self._seen:
            self._seen = seen
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        area = QRectF(self.rect()).adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        painter.fillRect(self.rect(), QColor(theme.field_border))
        painter.drawPixmap(area.topLeft(), self._overview)
        frame = self._frame().intersected(area)
        painter.setClipRect(area)
        painter.setPen(QPen(QColor(0, 0, 0, _SHADE), 4))
        painter.drawRect(frame)
        painter.setPen(QPen(QColor("white"), 2))
        painter.drawRect(frame)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._ask(event.localPos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(event.localPos())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def _ask(self, position: QPointF) -> None:
        self.moved.emit((position - QPointF(_EDGE, _EDGE)) / self._scale)

    def _frame(self) -> QRectF:
        corner, size = self._seen.topLeft() * self._scale, self._seen.size() * self._scale
        return QRectF(corner + QPointF(_EDGE, _EDGE), size)
