"""A row of the welcome page: a recently opened place."""

from __future__ import annotations

from PyQt5.QtCore import QRect, QSize, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetrics, QPaintEvent
from PyQt5.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter, QWidget

from desktop.images.recent import RecentEntry
from desktop.style.icons import icon
from desktop.style.theme import GRID, current_theme, hint_font

_ICON = 16
_NAME_SHARE = 0.6
"""Of the width, what a long name may take from its place."""
_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter)


class RecentButton(QPushButton):
    """Shows the name and, muted, the folder or host; long ones are elided in the middle."""

    def __init__(self, entry: RecentEntry, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry = entry
        self._width = width
        self._icon = icon("folder-open" if entry.is_folder else "image", "text_muted")
        self.setObjectName("recentButton")
        self.setAccessibleName(f"{entry.name}, {entry.place}")
        self.setToolTip(entry.text)
        self.setFlat(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """As wide as the list, high enough to be hit."""
        return QSize(self._width, 4 * GRID)

    def minimumSizeHint(self) -> QSize:
        """Room for the icon and a part of the name."""
        return QSize(20 * GRID, 4 * GRID)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button as the style has it, then icon, name and place."""
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        area = self.rect().adjusted(GRID, 0, -GRID, 0)
        self._icon.paint(painter, QRect(area.left(), area.center().y() - _ICON // 2 + 1, _ICON, _ICON))
        area.setLeft(area.left() + _ICON + GRID)
        used = self._draw(painter, area, self._entry.name, self.font(), current_theme().text, _NAME_SHARE)
        area.setLeft(area.left() + used + GRID)
        self._draw(painter, area, self._entry.place, hint_font(), current_theme().text_muted, 1.0)

    def _draw(self, painter: QStylePainter, area: QRect, text: str, font: QFont, colour: str, share: float) -> int:
        """Draw a text in a share of the area; the pixels that it takes."""
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(area.width() * share))
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(area, _MIDDLE, shown)
        return metrics.horizontalAdvance(shown)
