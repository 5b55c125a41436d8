"""Small pieces that several panels use."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent
from PyQt5.QtGui import QIcon
from PyQt5.QtWidgets import QAction, QLabel, QMenu, QWidget


class IconLabel(QLabel):
    """An icon of this many pixels a side; it follows the theme."""

    def __init__(self, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._icon = QIcon()

    def show_icon(self, shown: QIcon) -> None:
        """Show this one."""
        self._icon = shown
        self.setPixmap(shown.pixmap(self._side, self._side))

    def changeEvent(self, event: QEvent) -> None:
        """Draw it in the colours that are on now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_icon(self._icon)


def hint_label(text: str) -> QLabel:
    """A line of small, quiet text that wraps."""
    label = QLabel(text)
    label.setProperty("hint", True)
    label.setWordWrap(True)
    return label


def menu_of(actions: Sequence[QAction | None], parent: QWidget) -> QMenu:
    """A menu of actions; `None` stands for a line between them."""
    menu = QMenu(parent)
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
    return menu
