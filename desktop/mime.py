"""What a drop or the clipboard holds, as things that can be opened."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QMimeData
from PyQt5.QtGui import QImage

from desktop.detection_runner import Given
from desktop.pixels import to_file_bytes


def can_open(mime: QMimeData) -> bool:
    """Whether there is anything to open."""
    return mime.hasUrls() or mime.hasImage() or bool(mime.text().strip())


def holds_image_or_files(mime: QMimeData) -> bool:
    """Whether it is more than text: a text field leaves it to the window."""
    return mime.hasImage() or bool(_local_files(mime))


def given_in(mime: QMimeData) -> list[Given]:
    """Files first, then a bitmap, then web addresses, then text: one thing, or one a line.

    A browser offers a dragged image as bitmap and as address; the bitmap is what the user sees.
    """
    files = _local_files(mime)
    if files:
        return list(files)
    image = QImage(mime.imageData()) if mime.hasImage() else QImage()
    if not image.isNull():
        return [to_file_bytes(image)]
    if mime.hasUrls():
        return [url.toString() for url in mime.urls()]
    return list(lines_of(mime.text()))


def lines_of(text: str) -> list[str]:
    """Several addresses or paths, one a line; any other text is one thing, e.g. base64 in lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(_is_address_or_path(line) for line in lines):
        return lines
    return [text.strip()] if text.strip() else []


def _local_files(mime: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def _is_address_or_path(line: str) -> bool:
    return "://" in line[:16] or (len(line) < 4096 and Path(line).expanduser().exists())
