"""Signs of decisions: a tick, a dot, a question mark."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF

from engine.render.palette import Colour, text_colour_on

NOTHING: frozenset[int] = frozenset()

SIGN_SIDE = 14.0
"""How large a sign is on the screen, logical pixels."""


class Sign(Enum):
    """What a sign says about a box."""

    ACCEPTED = auto()
    ADDED = auto()
    ORPHAN = auto()


@dataclass(frozen=True, slots=True)
class BoxMarks:
    """Indices of the boxes that were decided about.

    Attributes:
        rejected: Drawn dashed and dim, their labels struck out.
        added: Drawn by a person: a dot.
        accepted: A tick.
        orphans: Decided about, and not found by the present model: dotted, with a question mark.
    """

    rejected: frozenset[int] = NOTHING
    added: frozenset[int] = NOTHING
    accepted: frozenset[int] = NOTHING
    orphans: frozenset[int] = NOTHING

    @property
    def signed(self) -> frozenset[int]:
        """The boxes with a sign."""
        return self.added | self.accepted | self.orphans

    def sign_of(self, index: int) -> Sign | None:
        """Return the sign of a box; an orphan's goes first."""
        if index in self.orphans:
            return Sign.ORPHAN
        if index in self.added:
            return Sign.ADDED
        return Sign.ACCEPTED if index in self.accepted else None


def paint_sign(painter: QPainter, sign: Sign, middle: QPointF, colour: QColor) -> None:
    """Paint a sign in one colour, about ten logical pixels wide."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    x, y = middle.x(), middle.y()
    if sign is Sign.ADDED:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(middle, 2.75, 2.75)
    elif sign is Sign.ACCEPTED:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(QPolygonF([QPointF(x - 3.4, y + 0.2), QPointF(x - 1, y + 2.6), QPointF(x + 3.4, y - 2.4)]))
    else:
        font = QFont(painter.font())
        font.setStrikeOut(False)
        font.setBold(True)
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(QRectF(x - 7, y - 7, 14, 14), Qt.AlignmentFlag.AlignCenter, "?")


def blank(width: float, height: float, ratio: float) -> QImage:
    """Return a transparent image of this size in logical pixels; unlike a pixmap, any thread may free it."""
    drawn = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    return drawn


def badge(sign: Sign, colour: Colour, font: QFont, ratio: float) -> QImage:
    """Return a sign on a disc in the colour of its class, for a box without a label."""
    side = SIGN_SIDE
    drawn = blank(side, side, ratio)
    painter = QPainter(drawn)
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(QColor("white"), 1.25))
    painter.setBrush(QColor(*colour))
    middle = QPointF(side / 2, side / 2)
    painter.drawEllipse(middle, side / 2 - 1, side / 2 - 1)
    paint_sign(painter, sign, middle, QColor(*text_colour_on(colour)))
    painter.end()
    return drawn
