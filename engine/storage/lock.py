"""A lock between processes that ends with the one that holds it, however that ends."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt

    def _seize(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _seize(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class FileLock:
    """Held from `take` to `release`; also between two holders in one process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Lock this file, which is made where it is not there and stays; `None` where another holds it.

        Raises:
            OSError: the file cannot be made.
        """
        file = path.open("ab")
        try:
            _seize(file.fileno())
        except OSError as error:
            file.close()
            if error.errno in _TAKEN:
                return None
            raise
        return cls(file)

    def release(self) -> None:
        """Let another take it."""
        self._file.close()
