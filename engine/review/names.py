"""What a session's file is called, and what of a file's name can be kept as text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

SUFFIX = ".detrdesk"
_NAME_BYTES = 80
_HASH_DIGITS = 10
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def session_path(folder_of_sessions: Path, location: str) -> Path:
    """Where the session of a folder of images lies: a name that is readable, safe on every system, and its own.

    Args:
        folder_of_sessions: Where sessions are kept.
        location: The folder's path, the same text every time.
    """
    parts = [part for part in re.split(r"[/\\]+", location) if part]
    name = "".join(_safe(letter) for letter in (parts[-1] if parts else "")).strip(" .")
    short = name.encode()[:_NAME_BYTES].decode(errors="ignore").strip(" .") or "session"
    digest = hashlib.blake2b(location.encode("utf-8", "surrogatepass"), digest_size=_HASH_DIGITS // 2).hexdigest()
    return folder_of_sessions / f"{short}-{digest}{SUFFIX}"


def session_name(path: Path) -> str:
    """What to call a session: the folder's name where `session_path` made the file's name."""
    return re.sub(rf"-[0-9a-f]{{{_HASH_DIGITS}}}$", "", path.stem)


def _safe(letter: str) -> str:
    return "_" if letter in '<>:"/\\|?*#%' or unicodedata.category(letter) in _INVISIBLE else letter


def storable(text: str) -> str:
    """A file's name may hold bytes that are no text; SQLite keeps text alone."""
    return text.encode("utf-8", "backslashreplace").decode()
