"""A partly downloaded file with its running hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from engine.models.hub.plan import RemoteFile
from engine.storage.atomic import cannot_write, sync

_BLOCK = 2**20


class PartFile:
    """`NAME.part`, renamed to `NAME` when complete; a context manager.

    Args:
        folder: Folder of the file.
        file: The file on the hub.

    Raises:
        WriteError: from every method, if the disk is full or the folder cannot be written.
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
            # Unbuffered, so that counted bytes are on disk and a full disk is noticed at once.
            self._handle = self._path.open("r+b" if self._path.exists() else "x+b", buffering=0)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def __enter__(self) -> PartFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._handle.close()

    @property
    def whole(self) -> bool:
        """Whether it has the expected size."""
        return self.size == self._file.size

    @property
    def right(self) -> bool:
        """Whether its hash equals that of the file on the hub."""
        return self.whole and self._digest.hexdigest() == self._file.digest

    def take_up(self, check: Callable[[], None]) -> None:
        """Hash the bytes of an earlier download; discard them if they exceed the file's size.

        Args:
            check: Called at each MiB; may raise to stop.
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
        """Append bytes."""
        left = memoryview(piece)
        try:
            while left:
                left = left[self._handle.write(left) :]
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._digest.update(piece)
        self.size += len(piece)

    def restart(self) -> None:
        """Truncate the file to nothing."""
        try:
            self._handle.seek(0)
            self._handle.truncate()
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self.size, self._digest = 0, self._new_digest()

    def finish(self) -> None:
        """Rename it to its final name."""
        try:
            sync(self._handle)
            self._handle.close()
            self._path.replace(self._target)
        except OSError as error:
            raise cannot_write(self._target, error) from error

    def discard(self) -> None:
        """Delete it."""
        self._handle.close()
        self._path.unlink(missing_ok=True)

    def _new_digest(self) -> hashlib._Hash:
        if self._file.kind == "sha256":
            return hashlib.sha256()
        # git hashes a blob with a header of its kind and size.
        return hashlib.sha1(b"blob %d\0" % self._file.size, usedforsecurity=False)


def part_path(folder: Path, file: RemoteFile) -> Path:
    """Return the path of a file during its download."""
    return folder / f"{file.name}.part"
