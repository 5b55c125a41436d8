"""The swatch of a class in lists: its colour and the line style of its boxes."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

from engine.render.palette import LINE_STYLES, label_colour, line_style

SWATCH = 12
_SCALE = 2.0
_FILL_OF_BROKEN = 70


def class_swatch(label: str) -> QIcon:
    """Return a square in the class's colour, filled where its line is solid; Qt does not tint it in selected rows."""
    pixmap = QPixmap(int(_SCALE * SWATCH), int(_SCALE * SWATCH))
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    dashes, colour = LINE_STYLES[line_style(label)], QColor(*label_colour(label))
    fill, pen = QColor(colour), QPen(colour, 2.0)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dashes:
        fill.setAlpha(_FILL_OF_BROKEN)
        pen.setDashPattern([length / 2 for length in dashes])
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.setBrush(fill)
    painter.drawRoundedRect(QRectF(1.5, 1.5, SWATCH - 3, SWATCH - 3), 2, 2)
    painter.end()
    swatch = QIcon(pixmap)
    swatch.addPixmap(pixmap, QIcon.Mode.Selected)
    return swatch
