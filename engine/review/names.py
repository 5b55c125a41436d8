"""File names of sessions, and encoding of file names as text."""

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
    """Return the path of the session of a folder of images: a readable, portable and unique name.

    Args:
        folder_of_sessions: The folder of all sessions.
        location: The path of the folder of images, always spelled the same.
    """
    parts = [part for part in re.split(r"[/\\]+", location) if part]
    name = "".join(_safe(letter) for letter in (parts[-1] if parts else "")).strip(" .")
    short = name.encode()[:_NAME_BYTES].decode(errors="ignore").strip(" .") or "session"
    digest = hashlib.blake2b(location.encode("utf-8", "surrogatepass"), digest_size=_HASH_DIGITS // 2).hexdigest()
    return folder_of_sessions / f"{short}-{digest}{SUFFIX}"


def session_name(path: Path) -> str:
    """Return the display name of a session: the name of its folder of images, if `session_path` named the file."""
    return re.sub(rf"-[0-9a-f]{{{_HASH_DIGITS}}}$", "", path.stem)


def _safe(letter: str) -> str:
    return "_" if letter in '<>:"/\\|?*#%' or unicodedata.category(letter) in _INVISIBLE else letter


def storable(text: str) -> str:
    """Escape undecodable bytes in a file name, which SQLite does not store as text."""
    return text.encode("utf-8", "backslashreplace").decode()
