"""Names that look the same: one class, one file."""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache

_LONGEST_PATH = 4096


def same_name(text: str) -> str:
    """Return the form that all spellings of a name share: composed letters (NFC), no blanks at its ends.

    A name of blanks alone stays as it is.
    """
    return unicodedata.normalize("NFC", text).strip() or text


def existing_twin(path: str) -> str | None:
    """Return the path of a file whose name looks the same, e.g. of decomposed letters or with blanks
    at its end or before its suffix; `None` where there is none.

    Each folder on the way may be a twin too.
    """
    if not path or "\0" in path or len(path) > _LONGEST_PATH:
        return None
    parent, name = os.path.split(path)
    folder = parent or os.curdir
    if parent and parent != path and not os.path.isdir(folder):  # noqa: PTH112
        twin = existing_twin(parent)
        if twin is None or not os.path.isdir(twin):  # noqa: PTH112
            return None
        parent = folder = twin
    try:
        twin_name = _names(folder, os.stat(folder).st_mtime_ns).get(_file_key(name))  # noqa: PTH116
    except OSError:
        return None
    return os.path.join(parent, twin_name) if twin_name else None  # noqa: PTH118


def _file_key(name: str) -> str:
    stem, suffix = os.path.splitext(name)  # noqa: PTH122
    return same_name(stem) + same_name(suffix)


@lru_cache(maxsize=4)
def _names(folder: str, _changed_ns: int) -> dict[str, str]:
    """The names in a folder by their common form; many files of it may be missing, and it is listed once."""
    with os.scandir(folder) as entries:
        return {_file_key(name): name for name in sorted((entry.name for entry in entries), reverse=True)}
