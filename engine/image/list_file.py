"""Reading of text files that list images, one URL or path per line."""

from __future__ import annotations

import codecs
import os
import re

from engine.errors import SourceError
from engine.image.formats import IMAGE_SUFFIXES
from engine.image.limits import MEBIBYTE

LIST_SUFFIXES = frozenset({".txt", ".lst"})
"""Lower-case suffixes of files that are read as lists."""

_MOST_BYTES = 16 * MEBIBYTE
_LONGEST_LINE = 8_192
_ADDRESS = re.compile(r"(https?|file)://", re.IGNORECASE)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SUFFIXES = tuple(IMAGE_SUFFIXES)


def read_list(path: str, name: str) -> list[str]:
    """Read the URLs and paths in a file; relative paths are resolved against its folder.

    Blank lines, lines that begin with #, and lines that are neither a URL nor a file are skipped.

    Args:
        path: The file.
        name: Its name for error messages.

    Raises:
        SourceError: `list_not_readable`, `list_too_large`, or `list_empty` for a file that names no image.
    """
    folder = os.path.dirname(path)  # noqa: PTH120
    lines = (line.strip().strip('"') for line in _text(_read(path, name)).splitlines())
    entries = [_entry(line, folder) for line in lines if line and not line.startswith("#")]
    found = [entry for entry in entries if entry]
    if not found:
        raise SourceError(
            "list_empty", "{name} names no images; it needs one URL or path of an image on each line.", name=name
        )
    return found


def _read(path: str, name: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(
            "list_not_readable", "The list {name} cannot be read; check its permissions and its disk.", name=name
        ) from error
    if len(content) > _MOST_BYTES:
        limit = f"{_MOST_BYTES / MEBIBYTE:g}"
        message = "The list {name} is larger than {limit} MiB; split it."
        raise SourceError("list_too_large", message, name=name, limit=limit)
    return content


def _text(content: bytes) -> str:
    """Decode text: UTF-16 with a byte order mark, else UTF-8, else GB 18030 (a superset of GBK)."""
    if content.startswith(_UTF16_MARKS):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def _entry(line: str, folder: str) -> str | None:
    if len(line) > _LONGEST_LINE or "\0" in line:
        return None
    if _ADDRESS.match(line):
        return line
    path = os.path.join(folder, os.path.expanduser(line))  # noqa: PTH111, PTH118
    return path if line.lower().endswith(_SUFFIXES) or os.path.exists(path) else None  # noqa: PTH110
