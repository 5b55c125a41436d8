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
_PASSED_OVER = {
    *("@eadir", "@tmp", "#recycle", "@recycle", "#snapshot", "$recycle.bin", "recycler", "recycled"),
    *("system volume information", "lost+found", "__macosx", "_gsdata_"),
}
"""Lower-case names of folders that systems and network disks keep for themselves: thumbnails, deleted files, copies."""
_DIGITS = re.compile("[0-9]+")
_SUFFIXES = tuple(IMAGE_SUFFIXES)


class FolderWalk:
    """Walks through one folder.

    Attributes:
        links: How many folders were reached through a link so far.
    """

    def __init__(self, folder: str, cancelled: Callable[[], bool]) -> None:
        self.links = 0
        self._cancelled = cancelled
        self._ahead = [folder]
        self._linked: list[str] = []
        self._seen: set[tuple[int, int]] = set()

    def files(self) -> Iterator[list[tuple[str, str]]]:
        """Yield batches of (path, name) in natural order: the images of a folder, then those of its subfolders.

        The first batch holds images of the first folder that has any, so that one can be shown at once. Hidden files,
        folders that systems keep for themselves and unreadable folders are skipped. Links to folders are followed
        behind all others, and no folder is entered twice, whichever way leads there.

        Raises:
            CancelledError: `cancelled` returned true.
        """
        return _batches(self._folders())

    def _folders(self) -> Iterator[list[tuple[str, str]]]:
        while self._ahead or self._linked:
            if self._cancelled():
                raise CancelledError
            is_link = not self._ahead
            folder = self._linked.pop(0) if is_link else self._ahead.pop()
            if not self._is_new(folder):
                continue
            self.links += is_link
            files, folders, linked = _list(folder)
            self._ahead.extend(reversed(folders))
            self._linked.extend(linked)
            yield files

    def _is_new(self, folder: str) -> bool:
        try:
            status = os.stat(folder)  # noqa: PTH116
        except OSError:
            return False
        key = status.st_dev, status.st_ino
        # a file system without numbers has 0
        is_new = key not in self._seen or not status.st_ino
        self._seen.add(key)
        return is_new


def _batches(folders: Iterator[list[tuple[str, str]]]) -> Iterator[list[tuple[str, str]]]:
    found: list[tuple[str, str]] = []
    since, size, is_first = time.monotonic(), _FIRST_BATCH, True
    for files in folders:
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


def _list(folder: str) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """List the images, folders and links to folders in `folder`; empty if it cannot be read completely."""
    files: list[str] = []
    folders: list[str] = []
    linked: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if _is_folder(entry):
                    if name.lower() not in _PASSED_OVER:
                        (linked if entry.is_symlink() else folders).append(name)
                elif name.lower().endswith(_SUFFIXES):
                    files.append(name)
    except OSError:
        return [], [], []
    prefix = os.path.join(folder, "")  # noqa: PTH118
    for names in (files, folders, linked):
        names.sort(key=natural_order)
    return (
        [(prefix + name, name) for name in files],
        [prefix + name for name in folders],
        [prefix + name for name in linked],
    )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
