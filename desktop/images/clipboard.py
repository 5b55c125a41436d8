"""Reading and writing the clipboard."""

from __future__ import annotations

from PyQt5.QtCore import QMimeData
from PyQt5.QtGui import QGuiApplication, QImage


def clipboard_content() -> QMimeData | None:
    """Return the content of the clipboard."""
    clipboard = QGuiApplication.clipboard()
    return None if clipboard is None else clipboard.mimeData()


def put_text(text: str) -> None:
    """Put text on the clipboard."""
    clipboard = QGuiApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)


def put_image(png: bytes) -> None:
    """Put a PNG on the clipboard as an image."""
    clipboard = QGuiApplication.clipboard()
    if clipboard is not None:
        clipboard.setImage(QImage.fromData(png))
