"""Atomic file writes: a reader sees the former or the new content, never a part."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from engine.errors import EngineError

_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What file systems answer that cannot sync."""


class WriteError(EngineError):
    """A file or folder cannot be written: no room, no permission, something else is there."""


def cannot_write(path: Path, error: OSError) -> WriteError:
    """Build the error that names the file or folder and the reason."""
    message = "{path} cannot be written: {reason}."
    return WriteError("cannot_write", message, path=path, reason=error.strerror or error)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a temporary file beside `path`, sync it and replace `path`.

    Raises:
        WriteError: the file cannot be written; the message names it and the reason, the old file is whole.
    """
    with open_atomic(path) as file:
        file.write(data)


@contextlib.contextmanager
def open_atomic(path: Path) -> Iterator[IO[bytes]]:
    """Yield a temporary file beside `path`, which replaces it when the block succeeds and is removed otherwise.

    Raises:
        WriteError: it cannot be written, `OSError` of the block included; the old file is whole.
    """
    try:
        with _beside(path) as file:
            yield file
    except OSError as error:
        raise cannot_write(path, error) from error


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-", suffix=".part")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            sync(file)
        with contextlib.suppress(OSError):  # exFAT, CIFS and others have no modes, and some say so
            beside.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def sync(file: IO[bytes]) -> None:
    """Wait until the disk has what was written, as far as its file system can tell.

    Raises:
        OSError: The disk failed.
    """
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
