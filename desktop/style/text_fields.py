"""Copy and paste in text fields: selected and pasted text is theirs, everything else is the window's."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QApplication, QLineEdit, QPlainTextEdit


class TextFieldKeys(QObject):
    """Leaves Ctrl+C without a selection, and Ctrl+V of an image or files, to the window's actions."""

    def watch(self, *fields: QLineEdit | QPlainTextEdit) -> None:
        """Watch these fields."""
        for field in fields:
            field.installEventFilter(self)

    def eventFilter(self, field: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return super().eventFilter(field, event)
        if event.matches(QKeySequence.StandardKey.Copy):
            event.setAccepted(_has_selection(field))
        elif event.matches(QKeySequence.StandardKey.Paste):
            event.setAccepted(_takes_text(field) and not _clipboard_holds_more_than_text())
        else:
            return super().eventFilter(field, event)
        return True


def _clipboard_holds_more_than_text() -> bool:
    clipboard = QApplication.clipboard()
    mime = clipboard.mimeData() if clipboard is not None else None
    return mime is not None and (mime.hasImage() or any(url.isLocalFile() for url in mime.urls()))


def _takes_text(field: QObject) -> bool:
    return isinstance(field, QLineEdit | QPlainTextEdit) and not field.isReadOnly()


def _has_selection(field: QObject) -> bool:
    if isinstance(field, QLineEdit):
        return field.hasSelectedText()
    return isinstance(field, QPlainTextEdit) and field.textCursor().hasSelection()
