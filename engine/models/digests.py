"""Digests of model files, cached on disk so that large files are not read again at each start."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

from engine.paths import cache_dir
from engine.storage.atomic import WriteError, write_atomic

_DIGEST_BYTES = 16
_WORTH_KEEPING = 1024 * 1024
"""Bytes; reading a smaller file is faster than looking up its digest."""
_MOST_KEPT = 256
_GRAIN_NS = 2_000_000_000
"""A file changed more recently than this may change again within the resolution of its time stamp."""

_known: dict[tuple[str, tuple[int, ...]], bytes] = {}
_turn = threading.Lock()


def file_digest(path: Path) -> bytes:
    """Return BLAKE2b (16 bytes) of a file's content; it is read again only when size, times or inode changed.

    Raises:
        OSError: it cannot be read.
    """
    stat = path.stat()
    place, state = str(path.absolute()), (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    if (place, state) not in _known:
        is_kept = stat.st_size >= _WORTH_KEEPING and time.time_ns() - stat.st_mtime_ns > _GRAIN_NS
        digest = _kept_digest(place, state) if is_kept else None
        if digest is None:
            digest = _read(path)
            if is_kept:
                _keep(place, state, digest)
        _known[place, state] = digest
    return _known[place, state]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES)).digest()


def _file() -> Path:
    return cache_dir() / "digests.json"


def _all_kept() -> dict[str, Any]:
    """Return state and digest by path; empty if the cache file is absent or invalid."""
    try:
        kept = json.loads(_file().read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _kept_digest(place: str, state: tuple[int, ...]) -> bytes | None:
    try:
        *kept_state, digest = _all_kept()[place]
        known = bytes.fromhex(digest)
    except (LookupError, ValueError, TypeError):
        return None
    return known if kept_state == list(state) and len(known) == _DIGEST_BYTES else None


def _keep(place: str, state: tuple[int, ...], digest: bytes) -> None:
    """Store a digest as the newest entry; ignore a folder that cannot be written."""
    with _turn:
        kept = _all_kept()
        kept.pop(place, None)
        kept[place] = [*state, digest.hex()]
        newest = dict(list(kept.items())[-_MOST_KEPT:])
        with contextlib.suppress(WriteError, OSError):
            cache_dir().mkdir(parents=True, exist_ok=True)
            write_atomic(_file(), json.dumps(newest).encode())
