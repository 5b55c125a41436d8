"""Icons drawn from SVG in the colours of the present theme."""

from __future__ import annotations

from typing import Literal

from PyQt5.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache
from PyQt5.QtSvg import QSvgRenderer

from desktop.style.theme import current_theme
from engine.paths import resource

IconColour = Literal["text", "text_muted", "accent_text", "link", "danger", "warning", "success"]
"""The colour of the theme that an icon is drawn in, by its name there."""


def icon(name: str, colour: IconColour = "text") -> QIcon:
    """Return the icon `resources/icons/{name}.svg`; it follows the theme and has a disabled look."""
    return QIcon(_ThemedSvg(_svg(name), colour))


def program_icon() -> QIcon:
    """Return the icon of the program, in the sizes that desktops ask for."""
    drawn = QIcon()
    for side in (16, 24, 32, 48, 64, 128, 256):
        drawn.addPixmap(_rendered(_svg("detrdesk"), "", QSize(side, side)))
    return drawn


class _ThemedSvg(QIconEngine):
    def __init__(self, svg: str, colour: IconColour) -> None:
        super().__init__()
        self._svg = svg
        self._colour = colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        painter.drawPixmap(rect, self.pixmap(rect.size() * ratio, mode, state))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        theme = current_theme()
        colour = theme.text_disabled if mode == QIcon.Mode.Disabled else str(getattr(theme, self._colour))
        return _rendered(self._svg, colour, size)

    def clone(self) -> QIconEngine:
        return _ThemedSvg(self._svg, self._colour)


def _svg(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")


def _rendered(svg: str, colour: str, size: QSize) -> QPixmap:
    key = f"detrdesk {hash(svg)} {colour} {size.width()}x{size.height()}"
    kept: QPixmap | None = QPixmapCache.find(key)
    if kept is not None:
        return kept
    pixmap = QPixmap(size)
    pixmap.fill(Qt.GlobalColor.transparent)
    side = min(size.width(), size.height())
    painter = QPainter(pixmap)
    square = QRectF((size.width() - side) / 2, (size.height() - side) / 2, side, side)
    coloured = svg.replace("currentColor", colour)
    QSvgRenderer(QByteArray(coloured.encode())).render(painter, square)
    painter.end()
    QPixmapCache.insert(key, pixmap)
    return pixmap
