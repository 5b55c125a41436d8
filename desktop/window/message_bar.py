"""The message bar below the canvas."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from desktop.state.viewer import Message, ViewerState
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import IconLabel
from desktop.style.theme import GRID

ICON_SIDE = 16


class MessageBar(QFrame):
    """Shows one message, with a button for what can be done about it.

    Signals:
        dismissed: The user closed it.
    """

    dismissed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageBar")
        self.setAccessibleName(tr("Message"))
        self._message: Message | None = None
        self._icon, self._text = IconLabel(ICON_SIDE), QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._offer = QPushButton()
        self._offer.setObjectName("messageOffer")
        self._offer.clicked.connect(self._take_offer)
        close = QToolButton()
        close.setIcon(icon("x", "text_muted"))
        close.setIconSize(QSize(ICON_SIDE, ICON_SIDE))
        close.setAutoRaise(True)
        close.setAccessibleName(tr("Close the message"))
        close.setToolTip(tr("Close the message"))
        close.clicked.connect(self.dismissed)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.setSpacing(GRID)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(self._offer)
        row.addWidget(close)
        self.hide()

    def text(self) -> str:
        """Return the message; empty where there is none."""
        return "" if self._message is None else self._message.text

    def show_state(self, state: ViewerState) -> None:
        """Show the message of the state."""
        if state.message is self._message:
            return
        self._message = state.message
        self.setVisible(state.message is not None)
        if state.message is not None:
            drawn = icon("triangle-alert", "danger") if state.message.is_error else icon("info", "text_muted")
            self._icon.show_icon(drawn)
            self._text.setText(state.message.text)
            self.setAccessibleDescription(state.message.text)
            offer = state.message.offer
            self._offer.setVisible(offer is not None)
            self._offer.setText(offer.text if offer is not None else "")
            self._offer.setAccessibleName(self._offer.text())

    def _take_offer(self) -> None:
        offer = None if self._message is None else self._message.offer
        self.dismissed.emit()
        if offer is not None:
            offer.do()
