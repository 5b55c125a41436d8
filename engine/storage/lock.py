"""A lock between processes that ends with the process that holds it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock


_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
"""What file systems answer that have no locks: Lustre, NFS and EFS as they are often mounted."""


class FileLock:
    """Held from `take` to `release`; excludes other holders in the same process too.

    Attributes:
        is_effective: Whether others are excluded; false on a file system without locks.
    """

    def __init__(self, lock: BaseFileLock | None) -> None:
        self._lock = lock
        self.is_effective = lock is not None

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Lock this file without waiting, creating it where it is absent; `None` where another holds it.

        On a file system without locks nobody is excluded.

        Raises:
            OSError: the file cannot be made.
        """
        import filelock

        lock = filelock.FileLock(path, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            return None
        except NotImplementedError:
            return cls(None)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return cls(None)
        return cls(lock)

    def release(self) -> None:
        """Let another take it; the file stays."""
        if self._lock is not None:
            self._lock.release()
