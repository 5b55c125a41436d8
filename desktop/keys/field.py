"""The field that takes a key sequence."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QLineEdit, QWidget

from desktop.keys.map import shown
from desktop.style.i18n import tr

_MODIFIER_KEYS = frozenset(
    {Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta, Qt.Key.Key_unknown}
)
_LEAVE_KEYS = frozenset({Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Escape})


class KeyField(QLineEdit):
    """Shows the pressed key; Tab and Escape keep their usual meaning.

    Attributes:
        key: The pressed key sequence; empty before.

    Signals:
        pressed(str): A key was pressed.
    """

    pressed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = ""
        self.setReadOnly(True)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setPlaceholderText(tr("Press a key here"))

    def show_key(self, key: str) -> None:
        """Show this key, or none."""
        self.key = key
        self.setText(shown([key]) if key else "")

    def event(self, event: QEvent) -> bool:
        """Accept every key before the window's shortcuts get it."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            event.setAccepted(event.key() not in _LEAVE_KEYS)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Show the key."""
        if event.key() in _LEAVE_KEYS:
            super().keyPressEvent(event)
        elif event.key() not in _MODIFIER_KEYS:
            self.show_key(_sequence(event))
            self.pressed.emit(self.key)


def _sequence(event: QKeyEvent) -> str:
    """Return the key sequence as text, without Shift if the character itself needs it, as `+` on some keyboards."""
    modifiers = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.GroupSwitchModifier)
    text = event.text()
    if text and text.isprintable() and not text.isalnum() and not text.isspace():
        modifiers &= ~Qt.KeyboardModifier.ShiftModifier
    return QKeySequence(int(modifiers) | event.key()).toString()
