"""The text beside the pointer: what it is on, or how large a box has become."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QRectF, QSize, Qt, QTimer
from PyQt5.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PyQt5.QtWidgets import QWidget

from desktop.canvas.marks import BoxMarks
from desktop.style.i18n import tr
from desktop.style.theme import GRID, current_theme, hint_font
from engine.detect.detection import Box, Detection

PROMPTLY_MS = 120
"""Short enough to seem immediate, long enough not to flicker when the pointer crosses many boxes."""

_OFFSET = QPoint(14, 18)
_PADDING = 6
_ROUND = 4.0
_WIDEST = 320


class PointerTip(QWidget):
    """A label over the canvas that ignores the mouse."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("pointerTip")
        self.setAccessibleName(tr("Under the pointer"))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._title = ""
        self._detail = ""
        self._plain, self._bold = _fonts()
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(PROMPTLY_MS)
        self._delay.timeout.connect(self.show)
        self.hide()

    @property
    def text(self) -> str:
        """The text that is shown, or is about to be."""
        return f"{self._title}\n{self._detail}" if self._title else self._detail

    def say(self, detail: str, title: str = "", *, at: QPoint, at_once: bool = False) -> None:
        """Show a text beside `at`, in view coordinates, after a delay or at once."""
        if not self.isVisible():
            self._appear(at_once)
        if (title, detail) != (self._title, self._detail):
            self._title, self._detail = title, detail
            self._plain, self._bold = _fonts()
            self.resize(self._needed())
            self.update()
        self._stand_beside(at)

    def silence(self) -> None:
        """Hide."""
        self._delay.stop()
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.tooltip))
        painter.drawRoundedRect(QRectF(self.rect()), _ROUND, _ROUND)
        painter.setPen(QColor(theme.tooltip_text))
        room = self.rect().adjusted(_PADDING, _PADDING - 2, -_PADDING, -_PADDING + 2)
        if self._title:
            painter.setFont(self._bold)
            title = painter.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideMiddle, room.width())
            painter.drawText(room, int(Qt.AlignmentFlag.AlignTop), title)
        painter.setFont(self._plain)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignBottom), self._detail)
        painter.end()

    def _appear(self, at_once: bool) -> None:
        if at_once:
            self._delay.stop()
            self.show()
        elif not self._delay.isActive():
            self._delay.start()

    def _needed(self) -> QSize:
        plain, bold = QFontMetrics(self._plain), QFontMetrics(self._bold)
        width = min(_WIDEST, max(plain.horizontalAdvance(self._detail), bold.horizontalAdvance(self._title)) + 1)
        height = plain.height() + (bold.height() if self._title else 0)
        return QSize(width + 2 * _PADDING, height + 2 * _PADDING - 4)

    def _stand_beside(self, at: QPoint) -> None:
        parent = self.parentWidget()
        room = parent.rect() if parent is not None else self.rect()
        corner = at + _OFFSET
        if corner.x() + self.width() > room.width():
            corner.setX(at.x() - self.width() - GRID)
        if corner.y() + self.height() > room.height():
            corner.setY(at.y() - self.height() - GRID)
        self.move(max(0, corner.x()), max(0, corner.y()))


def size_text(box: Box) -> str:
    """Return width and height of a box."""
    return tr("{width:.0f} × {height:.0f} px", width=box[2] - box[0], height=box[3] - box[1])


def detection_text(detection: Detection, marks: BoxMarks) -> str:
    """Return score, size and decision; a box that a person added has no score."""
    score = "" if detection.index in marks.added else f"{detection.score:.2f}"
    return "  ·  ".join(filter(None, [score, size_text(detection.box), decided_text(detection.index, marks)]))


def decided_text(index: int, marks: BoxMarks) -> str:
    """Return what was decided about a box."""
    words = (
        (marks.accepted, tr("accepted")),
        (marks.rejected, tr("rejected")),
        (marks.added, tr("added")),
        (marks.orphans, tr("not found by this model")),
    )
    return tr(", ").join(text for indices, text in words if index in indices)


def _fonts() -> tuple[QFont, QFont]:
    plain, bold = hint_font(), hint_font()
    bold.setBold(True)
    return plain, bold
