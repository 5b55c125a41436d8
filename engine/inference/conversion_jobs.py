"""The queue of conversions of this user: one small file a model, which every process of the program reads."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from engine.models.converted import versions
from engine.storage.atomic import WriteError, cannot_write, write_atomic
from engine.storage.lock import FileLock

Stage = Literal["none", "waiting", "loading", "converting", "comparing", "converted", "refused", "failed"]
UNDER_WAY: frozenset[Stage] = frozenset({"waiting", "loading", "converting", "comparing"})
MOST_ATTEMPTS = 2
_FRESH_SECONDS = 10.0
"""For so long after a change a job counts as under way: its helper may still be starting."""
_OLD_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Job:
    """A conversion that was asked for.

    Attributes:
        fingerprint: Of the checkpoint.
        checkpoint: Its folder, absolute.
        stage: One of `UNDER_WAY`, or `failed`.
        percent: How much of it is done.
        attempts: How many were begun.
        reason: Why the last attempt failed.
        in_haste: Whether somebody waits for it.
        requested_at: Seconds since the epoch.
        versions: Those that it is converted with; see `engine.models.converted.versions`.
    """

    fingerprint: str
    checkpoint: str
    stage: Stage = "waiting"
    percent: int = 0
    attempts: int = 0
    reason: str = ""
    in_haste: bool = False
    requested_at: float = field(default_factory=time.time)
    versions: Mapping[str, str] = field(default_factory=lambda: dict(versions()))


class ConversionJobs:
    """The job files in a folder of converted models; only the helper process changes a job under way.

    To cancel a job is to remove its file: the helper looks for it.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._folder = store / ".jobs"

    @property
    def helper_lock(self) -> Path:
        """The file that a helper process locks as long as it lives."""
        return self._folder / ".helper"

    @property
    def converting_lock(self) -> Path:
        """The file that is locked while a model is converted or a reduced-precision form of it is made."""
        return self._store / ".lock"

    @property
    def is_helper_running(self) -> bool:
        """Whether a helper process is at work."""
        return is_locked(self.helper_lock)

    def get(self, fingerprint: str) -> Job | None:
        """Return the job of a checkpoint; `None` where there is none, or one of other versions or unreadable."""
        job = _read(self._path(fingerprint))
        return job if job is not None and job.fingerprint == fingerprint and job.versions == versions() else None

    def is_under_way(self, job: Job) -> bool:
        """Return whether some process will end this job: one that was killed leaves its job as it was."""
        if job.stage not in UNDER_WAY:
            return False
        try:
            age = time.time() - self._path(job.fingerprint).stat().st_mtime
        except OSError:
            return False
        return abs(age) < _FRESH_SECONDS or self.is_helper_running

    def put(self, job: Job) -> None:
        """Write a job.

        Raises:
            WriteError: the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        write_atomic(self._path(job.fingerprint), json.dumps(asdict(job)).encode())

    def update(self, job: Job) -> None:
        """Write a job unless it was cancelled; progress that cannot be written is lost."""
        if self._path(job.fingerprint).exists():
            with contextlib.suppress(WriteError):
                self.put(job)

    def remove(self, fingerprint: str) -> None:
        """Remove a job that has ended or is not wanted any more."""
        with contextlib.suppress(OSError):
            self._path(fingerprint).unlink()

    def next(self) -> Job | None:
        """Return the job to run next; removes those of other versions that nobody came back for."""
        jobs = [job for job in map(_read, self._folder.glob("*.json")) if job is not None]
        for job in jobs:
            if job.versions != versions() and time.time() - job.requested_at > _OLD_SECONDS:
                self.remove(job.fingerprint)
        waiting = [job for job in jobs if job.stage in UNDER_WAY and job.versions == versions()]
        return min(waiting, key=lambda job: (not job.in_haste, job.requested_at), default=None)

    def _path(self, fingerprint: str) -> Path:
        return self._folder / f"{fingerprint}.json"


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of this file."""
    if not path.exists():
        return False
    try:
        lock = FileLock.take(path)
    except OSError:
        return False
    if lock is None:
        return True
    lock.release()
    return False


def _read(path: Path) -> Job | None:
    try:
        values = json.loads(path.read_bytes())
        job = Job(**values)
        is_valid = job.stage in get_args(Stage) and all(
            isinstance(getattr(job, name), kind)
            for name, kind in (
                ("fingerprint", str),
                ("checkpoint", str),
                ("percent", int),
                ("attempts", int),
                ("reason", str),
                ("in_haste", bool),
                ("requested_at", int | float),
            )
        )
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return job if is_valid else None
