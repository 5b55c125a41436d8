"""A QR code, black on white in every theme, because phones read that best."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPaintEvent
from PyQt5.QtWidgets import QWidget

from desktop.style.i18n import tr

_MODULE = 3
"""Pixels of the smallest square."""

_QUIET = 4
"""Squares of white around the code that the standard asks for."""


class QrCode(QWidget):
    """Shows a text as a QR code; its size follows from the text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("serverQrCode")
        self.setAccessibleName(tr("QR code of the address"))
        self._text = ""
        self._rows: tuple[bytes, ...] = ()

    def show_text(self, text: str) -> None:
        """Show the code of a text."""
        if text == self._text:
            return
        self._text = text
        self._rows = _matrix(text) if text else ()
        side = (len(self._rows) + 2 * _QUIET) * _MODULE
        self.setFixedSize(side, side)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw each dark square."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("white"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for y, row in enumerate(self._rows):
            for x, is_dark in enumerate(row):
                if is_dark:
                    left, top = (x + _QUIET) * _MODULE, (y + _QUIET) * _MODULE
                    painter.fillRect(left, top, _MODULE, _MODULE, Qt.GlobalColor.black)
        painter.end()


def _matrix(text: str) -> tuple[bytes, ...]:
    """Return the modules of the code, row by row; 1 is dark."""
    import segno

    return tuple(bytes(row) for row in segno.make(text, error="m", micro=False).matrix)
