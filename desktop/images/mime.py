"""Files, images and addresses in a drop or on the clipboard."""

from __future__ import annotations

import os
import re
from pathlib import Path

from PyQt5.QtCore import QMimeData, QUrl
from PyQt5.QtGui import QImage

from desktop.images.pixels import to_file_bytes
from engine.image.source import SourceLike

_FIREFOX_LINK = "text/x-moz-url"
_OPENABLE = re.compile(r"(https?://|data:image/)", re.IGNORECASE)
_MOST_HTML = 64 << 20


def can_open(mime: QMimeData) -> bool:
    """Return whether there is anything to open."""
    has_address = mime.hasUrls() or mime.hasFormat(_FIREFOX_LINK)
    return has_address or mime.hasImage() or bool(mime.text().strip()) or bool(_images_in(mime))


def given_in(mime: QMimeData) -> list[SourceLike]:
    """Return files, else a bitmap, else images of a web page, else web addresses, else the text or its lines.

    A browser offers a dragged image as bitmap and as address; the bitmap is what the user sees. If the image is a link,
    the address is that of the linked page, and only the HTML has the image's address.
    """
    urls = mime.urls()
    if any(url.isLocalFile() for url in urls):
        return [_given(url) for url in urls]
    image = QImage(mime.imageData()) if mime.hasImage() else QImage()
    if not image.isNull():
        return [to_file_bytes(image)]
    addresses = [_given(url) for url in urls] or list(_firefox_links(mime))
    lines = lines_of(mime.text())
    if addresses or all(_is_address_or_path(line) for line in lines):
        addresses = list(_images_in(mime)) or addresses
    return addresses or list(lines)


def lines_of(text: str) -> list[str]:
    """Return several addresses or paths, one a line; any other text, e.g. base64 in lines, is returned whole."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(_is_address_or_path(line) for line in lines):
        return lines
    return [text.strip()] if text.strip() else []


def _given(url: QUrl) -> SourceLike:
    return Path(url.toLocalFile()) if url.isLocalFile() else bytes(url.toEncoded()).decode()


def _firefox_links(mime: QMimeData) -> list[str]:
    """Return the addresses of Firefox's link format: one line for the address, the next for its title."""
    if not mime.hasFormat(_FIREFOX_LINK):
        return []
    lines = bytes(mime.data(_FIREFOX_LINK)).decode("utf-16-le", "replace").strip("\ufeff\0").splitlines()
    return [line.strip() for line in lines[::2] if _OPENABLE.match(line.strip())]


def _images_in(mime: QMimeData) -> list[str]:
    """Return the addresses of the images in an HTML fragment."""
    html = mime.html() if mime.hasHtml() else ""
    if not 0 < len(html) <= _MOST_HTML:
        return []
    from desktop.images.web_page import image_addresses

    return [address for address in image_addresses(html) if _OPENABLE.match(address)]


def _is_address_or_path(line: str) -> bool:
    return "://" in line[:16] or (len(line) < 4096 and os.path.exists(os.path.expanduser(line)))  # noqa: PTH110, PTH111
