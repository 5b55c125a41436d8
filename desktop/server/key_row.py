"""The row of the panel that shows, copies and renews the API key."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QVBoxLayout, QWidget

from desktop.server.snippets import MASK
from desktop.state.server import Key, KeyPlace, ServerState
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import hint_label
from desktop.style.theme import GRID, number_font


class KeyRow(QWidget):
    """Hidden where no key is needed.

    Signals:
        copy_asked(str): The key is to be copied.
        renewal_asked: A new key is to be generated.
    """

    copy_asked = pyqtSignal(str)
    renewal_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key: Key | None = None
        self._field = QLineEdit()
        self._field.setObjectName("serverKey")
        self._field.setAccessibleName(tr("Key"))
        self._field.setReadOnly(True)
        self._field.setFont(number_font())
        self._hint = hint_label("")
        self._copy = _tool("copy", tr("Copy the key"))
        self._copy.setObjectName("copyKey")
        self._copy.clicked.connect(self._ask_copy)
        self._renew = _tool("rotate-ccw", tr("Make a new key; the old one no longer works"))
        self._renew.setObjectName("renewKey")
        self._renew.clicked.connect(self.renewal_asked)
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        row.addWidget(self._field, 1)
        row.addWidget(self._copy)
        row.addWidget(self._renew)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(row)
        layout.addWidget(self._hint)

    def show_server(self, state: ServerState) -> None:
        """Show a new key, or where the key is stored."""
        needed = state.key is not None or state.for_everyone
        self.setVisible(needed)
        self._key = state.key
        self._field.setText("" if state.key is None else state.key.text if state.key.is_new else 3 * MASK)
        self._field.setCursorPosition(0)
        for widget in (self._field, self._copy):
            widget.setVisible(state.key is not None)
        self._renew.setVisible(state.key is not None and state.key.place != KeyPlace.SETTINGS)
        self._hint.setText(_hint(state))

    def _ask_copy(self) -> None:
        if self._key is not None:
            self.copy_asked.emit(self._key.text)


def _hint(state: ServerState) -> str:
    key = state.key
    if key is None and not state.key_needed:
        return tr("The settings ask for no key: whoever reaches this computer can use its models.")
    if key is None:
        return tr("Looking for the key in the system's keyring…")
    if key.place == KeyPlace.SETTINGS:
        return tr("The key is the one in your settings.")
    if key.place == KeyPlace.SESSION:
        return tr("No keyring here: the key holds until the window closes.")
    if key.is_new:
        return tr("The key is shown only now; the system's keyring keeps it.")
    return tr("The system's keyring keeps the key.")


def _tool(name: str, text: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name))
    button.setAccessibleName(text)
    button.setToolTip(text)
    return button
