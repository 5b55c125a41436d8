"""The folder where thumbnails of files are kept between sessions."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
import time
from pathlib import Path

from PIL import Image

from engine.errors import ImageError
from engine.image.decode import decode_image
from engine.image.limits import MEBIBYTE, Limits

_QUALITY = 85
_SHRUNK_TO = 0.9
"""Of its limits, a full cache is cut back to this."""
_LOOK_EVERY = 2_000
"""Thumbnails are written between two looks at how full the cache is."""
_TOUCH_AFTER = 86_400
"""Seconds after which another use of a thumbnail is noted in its file."""


class ThumbnailCache:
    """Keeps thumbnails on disk, those that were used last; it may be used by several threads.

    What cannot be read is made again, and a folder that cannot be written keeps nothing: a cache is never a reason to
    fail.

    Args:
        folder: Where; made when needed.
        side: Pixels of the square that a thumbnail fits.
        max_bytes, max_files: How much is kept.
    """

    def __init__(self, folder: Path, side: int, max_bytes: int = 200 * MEBIBYTE, max_files: int = 50_000) -> None:
        self._folder = folder
        self._side = side
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._lock = threading.Lock()
        self._until_look = 0

    def get(self, key: str) -> Image.Image | None:
        """The thumbnail, if it is kept whole."""
        path = self._path(key)
        limits = Limits(MEBIBYTE, self._side * self._side)
        with contextlib.suppress(OSError, ImageError):
            with path.open("rb") as file:
                image = decode_image(file.read(MEBIBYTE + 1), limits)
            if time.time() - path.stat().st_mtime > _TOUCH_AFTER:
                os.utime(path)
            return image
        return None

    def put(self, key: str, thumbnail: Image.Image) -> None:
        """Keep a thumbnail; the least recently used ones make room."""
        content = io.BytesIO()
        thumbnail.save(content, "JPEG", quality=_QUALITY)
        path = self._path(key)
        beside = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside.write_bytes(content.getvalue())
            beside.replace(path)
        if self._is_time_to_look():
            self._shrink()

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key[2:]}.jpg"

    def _is_time_to_look(self) -> bool:
        with self._lock:
            self._until_look -= 1
            if self._until_look >= 0:
                return False
            self._until_look = _LOOK_EVERY
            return True

    def _shrink(self) -> None:
        kept = sorted(self._entries(), reverse=True)
        max_bytes, max_files = self._max_bytes, self._max_files
        if len(kept) <= max_files and sum(size for _, size, _ in kept) <= max_bytes:
            return
        taken = 0
        for number, (_, size, path) in enumerate(kept, 1):
            taken += size
            if taken > max_bytes * _SHRUNK_TO or number > max_files * _SHRUNK_TO:
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108

    def _entries(self) -> list[tuple[float, int, str]]:
        """When each was last used, its bytes and its path."""
        found: list[tuple[float, int, str]] = []
        with contextlib.suppress(OSError), os.scandir(self._folder) as folders:
            for folder in folders:
                with contextlib.suppress(OSError), os.scandir(folder.path) as files:
                    for file in files:
                        with contextlib.suppress(OSError):
                            status = file.stat()
                            found.append((status.st_mtime, status.st_size, file.path))
        return found


def file_key(path: str) -> str:
    """A name for what is in a file now: another one once the file was changed.

    Raises:
        OSError: There is no such file.
    """
    status = os.stat(path)  # noqa: PTH116
    whole = os.fsencode(os.path.abspath(path))  # noqa: PTH100
    return hashlib.blake2b(b"%d %d %s" % (status.st_mtime_ns, status.st_size, whole), digest_size=16).hexdigest()


def address_key(url: str) -> str:
    """A name for what is at an address."""
    return hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=16).hexdigest()
