"""A lock between processes that ends with the process that holds it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock


class FileLock:
    """Held from `take` to `release`; excludes other holders in the same process too."""

    def __init__(self, lock: BaseFileLock) -> None:
        self._lock = lock

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Lock this file without waiting, creating it where it is absent; `None` where another holds it.

        Raises:
            OSError: the file cannot be made, or its file system has no locks.
        """
        import filelock

        lock = filelock.FileLock(path, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            return None
        return cls(lock)

    def release(self) -> None:
        """Let another take it; the file stays."""
        self._lock.release()
