"""The folders of downloaded and partly downloaded models."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.models.hub.error import HubError
from engine.models.hub.part_file import part_path
from engine.models.hub.plan import Plan, RemoteFile
from engine.models.hub.record import NAME, DownloadRecord, read_record, write_record
from engine.paths import data_dir
from engine.storage.atomic import cannot_write
from engine.storage.lock import FileLock

_SPARE = 32 * 2**20
"""Bytes to leave free on the disk."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An interrupted download.

    Attributes:
        record: The model and its files.
        done: Bytes on disk.
    """

    record: DownloadRecord
    done: int


class ModelFolders:
    """The folders of models: `OWNER--NAME` when complete, `.partial/OWNER--NAME` before.

    Ids contain no `--` and do not begin with a dot, so names neither collide nor leave the root.

    Args:
        root: The folder of all models; by default the user's.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or data_dir() / "models"

    def final(self, model: str) -> Path:
        """Return the folder of a complete model."""
        return self._root / model.replace("/", "--")

    def partial(self, model: str) -> Path:
        """Return the folder of a model during its download."""
        return self._root / ".partial" / model.replace("/", "--")

    def downloaded(self) -> dict[Path, DownloadRecord]:
        """Return the folders and records of the complete models."""
        found = {path: read_record(path) for path in sorted(self._root.glob("[!.]*/"))}
        return {path: record for path, record in found.items() if record is not None}

    def unfinished(self) -> list[Unfinished]:
        """List interrupted downloads; `download` resumes one, `discard` removes it."""
        found = [(path, read_record(path)) for path in sorted((self._root / ".partial").glob("[!.]*/"))]
        return [
            Unfinished(record, sum(_size(path, file) for file in record.files))
            for path, record in found
            if record is not None
        ]

    def discard(self, model: str) -> None:
        """Remove the files of an interrupted download.

        Raises:
            HubError: it is being downloaded now.
        """
        with self.locked(model):
            shutil.rmtree(self.partial(model), ignore_errors=True)

    @contextmanager
    def locked(self, model: str) -> Iterator[None]:
        """Lock a model's download against other threads and processes.

        Raises:
            HubError: it is being downloaded already.
            WriteError: the folder cannot be written.
        """
        partial = self.partial(model)
        path = partial.with_name(f".{partial.name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock.take(path)
        except OSError as error:
            raise cannot_write(path, error) from error
        if lock is None:
            raise HubError("hub_taken", "{model} is being downloaded already; wait for that download.", model=model)
        try:
            yield
        finally:
            lock.release()

    def has(self, plan: Plan) -> bool:
        """Return whether the model is complete, at this commit."""
        final = self.final(plan.model)
        record = read_record(final)
        if record is None or record.sha != plan.sha:
            return False
        return all((final / file.name).is_file() and _size(final, file) == file.size for file in plan.files)

    def prepare(self, record: DownloadRecord) -> Path:
        """Create the partial folder and remove files of other commits from it.

        Raises:
            HubError: too little disk space.
            WriteError: the folder cannot be written.
        """
        partial = self.partial(record.model)
        former = read_record(partial)
        same = set(record.files) & set(former.files if former else ())
        kept = {NAME} | {path.name for file in same for path in (partial / file.name, part_path(partial, file))}
        try:
            partial.mkdir(parents=True, exist_ok=True)
            for path in partial.iterdir():
                if path.name not in kept:
                    path.unlink()
        except OSError as error:
            raise cannot_write(partial, error) from error
        write_record(partial, record)
        self._check_room(partial, record)
        return partial

    def _check_room(self, partial: Path, record: DownloadRecord) -> None:
        needed = record.total - sum(_size(partial, file) for file in record.files) + _SPARE
        free = shutil.disk_usage(partial).free
        if needed > free:
            raise HubError(
                "hub_disk",
                "{model} needs {needed} bytes on the disk of {folder}, {free} are free; make room and "
                "download it again.",
                model=record.model,
                needed=f"{needed:,}",
                free=f"{free:,}",
                folder=self._root,
            )

    def put_in_place(self, model: str) -> Path:
        """Rename the folder to its final name; an older one is moved aside first and removed afterwards.

        Raises:
            WriteError: renaming failed; the older folder is unchanged.
        """
        partial, final = self.partial(model), self.final(model)
        former = partial.with_name(f".{partial.name}.former")
        try:
            shutil.rmtree(former, ignore_errors=True)
            if final.exists():
                final.replace(former)
            partial.replace(final)
        except OSError as error:
            if former.exists() and not final.exists():
                former.replace(final)
            raise cannot_write(final, error) from error
        shutil.rmtree(former, ignore_errors=True)
        return final


def _size(folder: Path, file: RemoteFile) -> int:
    """Return the bytes of a file on disk, complete or not."""
    for path in (folder / file.name, part_path(folder, file)):
        try:
            return path.stat().st_size
        except OSError:
            continue
    return 0
