"""Copy and paste in text fields: selected text and pasted text stay theirs, everything else is the window's."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget

from desktop.mime import holds_image_or_files


class TextFieldKeys(QObject):
    """Hands Ctrl+C without a selection, and Ctrl+V of an image or files, on to the window's actions."""

    def watch(self, *fields: QLineEdit | QPlainTextEdit) -> None:
        """Do so in these fields."""
        for field in fields:
            field.installEventFilter(self)

    def eventFilter(self, field: QObject, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and self._is_ours(field, event)
        ):
            event.ignore()
            return True
        return super().eventFilter(field, event)

    def _is_ours(self, field: QObject, event: QKeyEvent) -> bool:
        if event.matches(QKeySequence.StandardKey.Paste):
            clipboard = QApplication.clipboard()
            mime = clipboard.mimeData() if clipboard is not None else None
            return mime is not None and holds_image_or_files(mime)
        return event.matches(QKeySequence.StandardKey.Copy) and isinstance(field, QWidget) and not _has_selection(field)


def _has_selection(field: QWidget) -> bool:
    if isinstance(field, QLineEdit):
        return field.hasSelectedText()
    return isinstance(field, QPlainTextEdit) and field.textCursor().hasSelection()
