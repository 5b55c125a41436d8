"""Writing a file so that it is either the old one or the new one, never a half."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from engine.errors import EngineError


def write_atomic(path: Path, data: bytes) -> None:
    """Write beside, sync, replace.

    Raises:
        EngineError: the file cannot be written; the message names it and the reason, the old file is whole.
    """
    try:
        _replace(path, data)
    except OSError as error:
        raise EngineError(
            "cannot_write", "{path} cannot be written: {reason}.", path=path, reason=error.strerror or error
        ) from error


def _replace(path: Path, data: bytes) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        Path(beside).chmod(mode)
        Path(beside).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
