"""Thumbnails of images, and the folder where they are kept between sessions."""

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
from engine.image.decode import decode_image, open_checked, upright
from engine.image.formats import format_of
from engine.image.limits import LOCAL_LIMITS, MEBIBYTE, Limits

_QUALITY = 85
_SHRINK_TO = 0.9
"""Share of its limits to which a full cache is reduced."""
_CHECK_EVERY = 2_000
"""Thumbnails written between two checks of the cache's size."""
_TOUCH_AFTER = 86_400
"""Seconds after which another use of a thumbnail updates its file's time stamp."""


def make_thumbnail(data: bytes, side: int, limits: Limits = LOCAL_LIMITS) -> Image.Image:
    """Decode an image file and scale it down to fit a square of `side` pixels; it is never enlarged.

    A JPEG is decoded at a fraction of its size, which is several times faster.

    Raises:
        ImageError: As raised by `decode_image`.
    """
    return scale_down(_reduced(data, side, limits) or decode_image(data, limits), side)


def scale_down(image: Image.Image, side: int) -> Image.Image:
    """Return a copy of an RGB image that fits a square of `side` pixels; it is never enlarged."""
    scale = min(1.0, side / max(image.size))
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _reduced(data: bytes, side: int, limits: Limits) -> Image.Image | None:
    """Decode a JPEG at 1/2, 1/4 or 1/8 of its size; `None` for other formats and on any failure."""
    if len(data) > limits.max_bytes or format_of(data) != "jpeg":
        return None
    try:
        file = open_checked("jpeg", data, limits)
        file.opened.draft(None, (side, side))
        return upright(file).pixels
    except Exception:
        return None


class ThumbnailCache:
    """The most recently used thumbnails on disk; safe to use from several threads.

    No method raises: an unreadable thumbnail is absent, and one that cannot be written is not kept.

    Args:
        folder: The folder of the cache; made when needed.
        side: Pixels of the square that a thumbnail fits.
        max_bytes, max_files: Limits of the cache.
    """

    def __init__(self, folder: Path, side: int, max_bytes: int = 200 * MEBIBYTE, max_files: int = 50_000) -> None:
        self._folder = folder
        self._side = side
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._lock = threading.Lock()
        self._until_check = 0

    def get(self, key: str) -> Image.Image | None:
        """Return the thumbnail; `None` where it is absent or damaged."""
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
        """Keep a thumbnail; the least recently used ones are deleted when the cache is full."""
        content = io.BytesIO()
        thumbnail.save(content, "JPEG", quality=_QUALITY)
        path = self._path(key)
        part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(content.getvalue())
            part.replace(path)
        if self._is_check_due():
            self._shrink()

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key[2:]}.jpg"

    def _is_check_due(self) -> bool:
        with self._lock:
            self._until_check -= 1
            if self._until_check >= 0:
                return False
            self._until_check = _CHECK_EVERY
            return True

    def _shrink(self) -> None:
        kept = sorted(self._entries(), reverse=True)
        max_bytes, max_files = self._max_bytes, self._max_files
        if len(kept) <= max_files and sum(size for _, size, _ in kept) <= max_bytes:
            return
        total = 0
        for number, (_, size, path) in enumerate(kept, 1):
            total += size
            if total > max_bytes * _SHRINK_TO or number > max_files * _SHRINK_TO:
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108

    def _entries(self) -> list[tuple[float, int, str]]:
        """Return time of last use, size in bytes and path of each thumbnail."""
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
    """Return a cache key for the present content of a file, made of its path, size and modification time.

    Raises:
        OSError: The file cannot be read.
    """
    status = os.stat(path)  # noqa: PTH116
    full_path = os.fsencode(os.path.abspath(path))  # noqa: PTH100
    return hashlib.blake2b(b"%d %d %s" % (status.st_mtime_ns, status.st_size, full_path), digest_size=16).hexdigest()


def address_key(url: str) -> str:
    """Return a cache key for a URL."""
    return hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=16).hexdigest()
