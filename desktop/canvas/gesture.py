"""Display of what the mouse does: guides, the new box, the rubber band, the text beside the pointer."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QPainter, QPen, QTransform

from desktop.canvas.box_drawing import BoxDrawing
from desktop.canvas.boxes_item import BoxesItem
from desktop.canvas.mouse import Mouse
from desktop.canvas.pointer_tip import PointerTip, detection_text, size_text
from desktop.canvas.reshaper import Reshaper
from desktop.style.theme import GRID, current_theme, hint_font
from engine.detect.detection import Box

_GUIDE_DASHES = (6.0, 4.0)
_BAND_FILL = 40
_ROUND = 4.0


class Gesture:
    """Displays a mouse gesture; other objects handle it.

    Attributes:
        unnamed: A box that was drawn and has no class yet.
    """

    def __init__(
        self, mouse: Mouse, drawing: BoxDrawing, reshaper: Reshaper, boxes: BoxesItem, tip: PointerTip
    ) -> None:
        self._mouse = mouse
        self._drawing = drawing
        self._reshaper = reshaper
        self._boxes = boxes
        self._tip = tip
        self.unnamed: Box | None = None

    def paint(self, painter: QPainter, to_view: QTransform, seen: QRect) -> None:
        """Paint in view coordinates; `seen` is the whole view."""
        painter.save()
        painter.resetTransform()
        if self._mouse.band is not None:
            _paint_band(painter, self._mouse.band)
        if self._drawing.is_active and self._mouse.position is not None:
            _paint_guides(painter, seen, self._mouse.position)
        for box in (self._drawing.box, self.unnamed):
            if box is not None:
                _paint_new_box(painter, to_view.mapRect(as_rect(box)))
        painter.restore()

    def describe(self) -> None:
        """Show beside the pointer the size of the edited box, or what the pointer is on."""
        at = self._mouse.position
        box = self._edited_box
        hovered = None if self._boxes.hovered is None else self._boxes.detection(self._boxes.hovered)
        if at is not None and box is not None:
            self._tip.say(size_text(box), at=at, at_once=True)
        elif at is not None and hovered is not None and not self._mouse.is_down:
            self._tip.say(detection_text(hovered, self._boxes.marks), " ".join(hovered.label.split()), at=at)
        else:
            self._tip.silence()

    @property
    def _edited_box(self) -> Box | None:
        """The box that is drawn or changed, if it is one."""
        reshaped = list(self._reshaper.now.values())
        return reshaped[0] if len(reshaped) == 1 else self._drawing.box


def as_rect(box: Box) -> QRectF:
    """Return a box as a QRectF."""
    xmin, ymin, xmax, ymax = box
    return QRectF(xmin, ymin, xmax - xmin, ymax - ymin)


def paint_notice(painter: QPainter, seen: QRect, text: str) -> None:
    """Paint a text at the upper left of `seen`, in view coordinates."""
    theme = current_theme()
    painter.save()
    painter.resetTransform()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setFont(hint_font())
    metrics = painter.fontMetrics()
    size = QSize(metrics.horizontalAdvance(text) + 2 * GRID, metrics.height() + GRID)
    room = QRect(seen.topLeft(), size).translated(GRID, GRID)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.tooltip))
    painter.drawRoundedRect(QRectF(room), _ROUND, _ROUND)
    painter.setPen(QColor(theme.tooltip_text))
    painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter), text)
    painter.restore()


def _paint_guides(painter: QPainter, seen: QRect, pointer: QPoint) -> None:
    """Paint lines through the pointer from edge to edge, visible on any image."""
    for colour, dashes in ((QColor(0, 0, 0, 130), None), (QColor(255, 255, 255, 230), _GUIDE_DASHES)):
        pen = QPen(colour, 1)
        if dashes:
            pen.setDashPattern(dashes)
        painter.setPen(pen)
        painter.drawLine(seen.left(), pointer.y(), seen.right(), pointer.y())
        painter.drawLine(pointer.x(), seen.top(), pointer.x(), seen.bottom())


def _paint_new_box(painter: QPainter, box: QRectF) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor(0, 0, 0, 130), 4), (QColor("white"), 2)):
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin))
        painter.drawRect(box)


def _paint_band(painter: QPainter, band: QRect) -> None:
    accent = QColor(current_theme().accent)
    faint = QColor(accent)
    faint.setAlpha(_BAND_FILL)
    painter.setBrush(faint)
    painter.setPen(QPen(QColor(255, 255, 255, 200), 3))
    painter.drawRect(band)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(accent, 1))
    painter.drawRect(band)
