"""Labels as cached images, because text is slow to paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from desktop.canvas.marks import SIGN_SIDE, Sign, badge, blank, paint_sign
from engine.render.palette import Colour, text_colour_on

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

_PADDING = 5.0
_SIGN_GAP = 3.0
_WIDEST = 220.0
_ROUND = 3.0
_REJECTED_OPACITY = 0.65
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Lettering:
    """Content and look of a label.

    Attributes:
        label: The class's name.
        score: Confidence, rounded as it is shown; `None` shows none.
        colour: Of the class.
        sign: What was decided, if anything that has a sign.
        is_rejected: Struck out and dim.
    """

    label: str
    score: float | None
    colour: Colour
    sign: Sign | None = None
    is_rejected: bool = False


class LabelArt:
    """Draws labels in one font and caches them."""

    def __init__(self, font: QFont) -> None:
        self._font = font
        self._metrics = QFontMetricsF(font)
        self._texts: dict[Lettering, tuple[str, tuple[float, float]]] = {}
        self._labels: dict[tuple[Lettering, float], QImage] = {}
        self._badges: dict[tuple[Sign, Colour, float], QImage] = {}

    def size(self, lettering: Lettering) -> tuple[float, float]:
        """Return width and height of a label, logical pixels."""
        return self._text(lettering)[1]

    def paint(self, painter: QPainter, lettering: Lettering, corner: QPointF) -> None:
        """Draw a label with its top left corner on the pixel nearest to `corner`."""
        ratio = _ratio(painter)
        drawn = self._labels.get((lettering, ratio))
        if drawn is None:
            drawn = _remembered(self._labels, (lettering, ratio), self._drawn(lettering, ratio))
        painter.drawImage(corner.toPoint(), drawn)

    def paint_badge(self, painter: QPainter, lettering: Lettering, middle: QPointF) -> None:
        """Draw the sign of a label alone, around `middle`."""
        if lettering.sign is None:
            return
        key = lettering.sign, lettering.colour, _ratio(painter)
        drawn = self._badges.get(key)
        if drawn is None:
            drawn = _remembered(self._badges, key, badge(lettering.sign, lettering.colour, self._font, key[2]))
        painter.drawImage((middle - QPointF(SIGN_SIDE / 2, SIGN_SIDE / 2)).toPoint(), drawn)

    def _text(self, lettering: Lettering) -> tuple[str, tuple[float, float]]:
        known = self._texts.get(lettering)
        return _remembered(self._texts, lettering, self._measured(lettering)) if known is None else known

    def _measured(self, lettering: Lettering) -> tuple[str, tuple[float, float]]:
        label = " ".join(lettering.label.split())
        text = self._metrics.elidedText(label, Qt.TextElideMode.ElideMiddle, _WIDEST)
        if lettering.score is not None:
            text = f"{text} {lettering.score:.2f}"
        width = self._metrics.horizontalAdvance(text) + 2 * _PADDING + _sign_room(lettering)
        return text, (float(round(width)), float(round(self._metrics.height() + 4)))

    def _drawn(self, lettering: Lettering, ratio: float) -> QImage:
        text, (width, height) = self._text(lettering)
        drawn = blank(width, height, ratio)
        painter = QPainter(drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setOpacity(_REJECTED_OPACITY if lettering.is_rejected else 1.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*lettering.colour))
        painter.drawRoundedRect(QRectF(0, 0, width, height), _ROUND, _ROUND)
        ink = QColor(*text_colour_on(lettering.colour))
        font = QFont(self._font)
        font.setStrikeOut(lettering.is_rejected)
        painter.setFont(font)
        painter.setPen(ink)
        room = _sign_room(lettering)
        painter.drawText(QRectF(room, 0, width - room, height), Qt.AlignmentFlag.AlignCenter, text)
        if lettering.sign is not None:
            paint_sign(painter, lettering.sign, QPointF(_PADDING - 1 + SIGN_SIDE / 2, height / 2), ink)
        painter.end()
        return drawn


def _sign_room(lettering: Lettering) -> float:
    return 0.0 if lettering.sign is None else SIGN_SIDE - 2 + _SIGN_GAP


def _ratio(painter: QPainter) -> float:
    device = painter.device()
    return device.devicePixelRatioF() if device is not None else 1.0


def _remembered(kept: dict[KeyT, ValueT], key: KeyT, value: ValueT) -> ValueT:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
    return value
