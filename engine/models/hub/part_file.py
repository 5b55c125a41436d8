"""A file that is being downloaded, with its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from engine.models.hub.plan import RemoteFile
from engine.storage.atomic import cannot_write, sync

_BLOCK = 2**20


class PartFile:
    """`NAME.part` beside the file that it becomes; a context manager.

    Args:
        folder: Where the file belongs.
        file: What it will be.

    Raises:
        WriteError: from every method: the disk is full, the folder cannot be written.
    """

    def __init__(self, folder: Path, file: RemoteFile) -> None:
        self._file = file
        self._target = folder / file.name
        self._path = part_path(folder, file)
        self._digest = self._new_digest()
        self.size = 0
        try:
            if self._target.exists() and not self._path.exists():
                self._target.replace(self._path)
            # No buffer: what is counted is on disk, and a full disk is noticed at once.
            self._handle = self._path.open("r+b" if self._path.exists() else "x+b", buffering=0)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def __enter__(self) -> PartFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._handle.close()

    @property
    def whole(self) -> bool:
        """Whether it has as many bytes as it should."""
        return self.size == self._file.size

    @property
    def right(self) -> bool:
        """Whether its hash is that of the file on the hub."""
        return self.whole and self._digest.hexdigest() == self._file.digest

    def take_up(self, check: Callable[[], None]) -> None:
        """Count what is in it from before; more than the file may have cannot be its beginning.

        Args:
            check: Asked at each MiB; what it raises ends it.
        """
        try:
            if self._path.stat().st_size > self._file.size:
                self._handle.truncate(0)
            while block := self._handle.read(_BLOCK):
                check()
                self._digest.update(block)
                self.size += len(block)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def append(self, piece: bytes) -> None:
        """Add these bytes."""
        left = memoryview(piece)
        try:
            while left:
                left = left[self._handle.write(left) :]
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._digest.update(piece)
        self.size += len(piece)

    def restart(self) -> None:
        """Forget all bytes."""
        try:
            self._handle.seek(0)
            self._handle.truncate()
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self.size, self._digest = 0, self._new_digest()

    def finish(self) -> None:
        """Give it its name."""
        try:
            sync(self._handle)
            self._handle.close()
            self._path.replace(self._target)
        except OSError as error:
            raise cannot_write(self._target, error) from error

    def discard(self) -> None:
        """Remove it."""
        self._handle.close()
        self._path.unlink(missing_ok=True)

    def _new_digest(self) -> hashlib._Hash:
        if self._file.kind == "sha256":
            return hashlib.sha256()
        # A git blob is hashed behind its kind and size.
        return hashlib.sha1(b"blob %d\0" % self._file.size, usedforsecurity=False)


def part_path(folder: Path, file: RemoteFile) -> Path:
    """Where a file is while it is not whole."""
    return folder / f"{file.name}.part"
