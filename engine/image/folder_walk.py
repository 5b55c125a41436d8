"""Recursive listing of the image files in a folder, in batches."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator

from engine.errors import CancelledError
from engine.image.formats import IMAGE_SUFFIXES

_FIRST_BATCH, _LARGEST_BATCH = 500, 16_000
"""Files per batch. Batches double in size, so that a large folder needs few of them."""
_LONGEST_WAIT = 0.2
"""Seconds after which an incomplete batch is handed out."""
_DIGITS = re.compile("[0-9]+")
_SUFFIXES = tuple(IMAGE_SUFFIXES)


def walk_files(folder: str, cancelled: Callable[[], bool]) -> Iterator[list[tuple[str, str]]]:
    """Yield batches of (path, name) in natural order: the images of a folder, then those of its subfolders.

    The first batch holds images of the first folder that has any, so that one can be shown at once. Links to folders
    are not followed; hidden files and unreadable folders are skipped.

    Raises:
        CancelledError: `cancelled` returned true.
    """
    found: list[tuple[str, str]] = []
    ahead, since, size, is_first = [folder], time.monotonic(), _FIRST_BATCH, True
    while ahead:
        if cancelled():
            raise CancelledError
        files, folders = _list(ahead.pop())
        ahead.extend(reversed(folders))
        found.extend(files)
        while found and (is_first or len(found) >= size or time.monotonic() - since > _LONGEST_WAIT):
            yield found[:size]
            found = found[size:]
            since, size, is_first = time.monotonic(), min(2 * size, _LARGEST_BATCH), False
    if found:
        yield found


def natural_order(name: str) -> tuple[str, str]:
    """Return a sort key that puts img2 before img10 and A next to a: each number is prefixed with its length."""
    return _DIGITS.sub(_with_length, name.casefold()), name


def _with_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0")
    return f"\0{chr(len(digits))}{digits}"


def _list(folder: str) -> tuple[list[tuple[str, str]], list[str]]:
    """List the images and folders in `folder`; empty if it cannot be read completely."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if _is_folder(entry):
                    if not entry.is_symlink():
                        folders.append(name)
                elif name.lower().endswith(_SUFFIXES):
                    files.append(name)
    except OSError:
        return [], []
    prefix = os.path.join(folder, "")  # noqa: PTH118
    files.sort(key=natural_order)
    folders.sort(key=natural_order)
    return [(prefix + name, name) for name in files], [prefix + name for name in folders]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
