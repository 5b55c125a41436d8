"""Small widgets that several panels use."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QSize, Qt
from PyQt5.QtGui import QIcon, QResizeEvent
from PyQt5.QtWidgets import QAction, QLabel, QMenu, QPushButton, QSizePolicy, QWidget


class IconLabel(QLabel):
    """An icon of `side` pixels; it follows the theme."""

    def __init__(self, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._icon = QIcon()

    def show_icon(self, shown: QIcon) -> None:
        """Show an icon."""
        self._icon = shown
        self.setPixmap(shown.pixmap(self._side, self._side))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_icon(self._icon)


def hint_label(text: str) -> QLabel:
    """Return a label with small, muted text that wraps."""
    label = QLabel(text)
    label.setProperty("hint", True)
    label.setWordWrap(True)
    return label


class ElidedLabel(QLabel):
    """Plain text on one line; what does not fit is replaced by an ellipsis, and the tool tip shows all."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""

    def setText(self, text: str) -> None:
        self._whole = text
        self.setAccessibleName(text)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, max(self.width(), 1))
        super().setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class SteadyHint(QWidget):
    """A hint whose text changes often: layouts are updated only when it needs another height.

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
    """Return a button that Return presses only while it has the focus; its text is its accessible name."""
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(text)
    button.setAutoDefault(False)
    return button


def flat_button(name: str, text: str = "") -> QPushButton:
    """Return such a button without a frame, for secondary actions."""
    button = push_button(name, text)
    button.setFlat(True)
    return button


def menu_of(actions: Sequence[QAction | None], parent: QWidget) -> QMenu:
    """Return a menu of actions; `None` stands for a separator."""
    menu = QMenu(parent)
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
    return menu
