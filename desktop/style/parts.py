"""Small pieces that several panels use."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent
from PyQt5.QtGui import QIcon, QResizeEvent
from PyQt5.QtWidgets import QAction, QLabel, QMenu, QPushButton, QWidget


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


class SteadyHint(QWidget):
    """A hint whose text changes often: its surroundings are laid out again only when it needs another height.

    A QLabel in a layout has every ancestor laid out and painted again whenever its text is set.
    """

    def __init__(self) -> None:
        super().__init__()
        self._label = hint_label("")
        self._label.setParent(self)

    def text(self) -> str:
        """The text."""
        return self._label.text()

    def set_text(self, text: str) -> None:
        """Show another text."""
        if text != self.text():
            self._label.setText(text)
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def _fit(self) -> None:
        inside = self.contentsRect()
        if inside.width() <= 0:
            return
        height = max(self._label.heightForWidth(inside.width()), 0)
        self._label.setGeometry(inside.x(), inside.y(), inside.width(), height)
        self.setFixedHeight(height + self.height() - inside.height())


def push_button(name: str, text: str = "") -> QPushButton:
    """A button that Return presses only while it has the focus; what it says is its accessible name, too."""
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(text)
    button.setAutoDefault(False)
    return button


def flat_button(name: str, text: str = "") -> QPushButton:
    """The same without a frame, for actions that are not the main thing."""
    button = push_button(name, text)
    button.setFlat(True)
    return button


def menu_of(actions: Sequence[QAction | None], parent: QWidget) -> QMenu:
    """A menu of actions; `None` stands for a line between them."""
    menu = QMenu(parent)
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
    return menu
