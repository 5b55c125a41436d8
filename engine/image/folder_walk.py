"""The image files in a folder and below it, as they are found."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator

from engine.errors import CancelledError
from engine.image.formats import IMAGE_SUFFIXES

_FIRST_BATCH, _LARGEST_BATCH = 500, 16_000
"""Batches double in size, so that a large folder takes few steps."""
_LONGEST_WAIT = 0.2
"""Seconds between two batches of a folder whose images lie far apart."""
_DIGITS = re.compile("[0-9]+")
_SUFFIXES = tuple(IMAGE_SUFFIXES)


def walk_files(folder: str, cancelled: Callable[[], bool]) -> Iterator[list[tuple[str, str]]]:
    """Paths and names of images in natural order: a folder's own images, then those of the folders in it.

    The first batch are the images of the first folder that has any, so that one of them can be shown at once.
    Links to folders are not followed; hidden files, and folders that cannot be read, are left out.

    Raises:
        CancelledError: `cancelled` said so.
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
    """A key that sorts img2 before img10, and A beside a: each number is preceded by how many figures it has."""
    return _DIGITS.sub(_measured, name.casefold()), name


def _measured(number: re.Match[str]) -> str:
    figures = number[0].lstrip("0")
    return f"\0{chr(len(figures))}{figures}"


def _list(folder: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Images and folders in `folder`; none where it cannot be read to its end."""
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
    before = os.path.join(folder, "")  # noqa: PTH118
    files.sort(key=natural_order)
    folders.sort(key=natural_order)
    return [(before + name, name) for name in files], [before + name for name in folders]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
