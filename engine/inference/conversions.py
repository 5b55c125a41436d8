"""Conversions of checkpoints for OpenVINO: their state, and how they are requested and cancelled."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import EngineError, ModelError
from engine.inference.conversion_jobs import MOST_ATTEMPTS, UNDER_WAY, ConversionJobs, Job, Stage
from engine.models.converted import Converted, ConvertedModels
from engine.runtimes.background import start_detached
from engine.storage.lock import FileLock

_POLL_SECONDS = 0.2
_GLANCE_SECONDS = 0.01
_log = logging.getLogger("detrdesk.runtimes")


@dataclass(frozen=True, slots=True)
class Conversion:
    """The state of a model's conversion.

    Attributes:
        stage: `none` where nothing is to be converted, or nobody asked for it yet; `refused` and `failed` stay until
            a version changes or it is asked for by hand.
        percent: How much is done, while it is `loading`, `converting` or `comparing`.
        problem: Why it was refused or failed.
        converted: The model, where it is converted.
    """

    stage: Stage = "none"
    percent: int | None = None
    problem: EngineError | None = None
    converted: Converted | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it waits or runs."""
        return self.stage in UNDER_WAY


class Conversions:
    """The conversions of this user as one program sees them, by the checkpoint's fingerprint; thread-safe.

    A helper process (`engine.inference.conversion_helper`) does the work: it outlives the program, and there is one
    for all programs of the user.
    """

    def __init__(self, store: ConvertedModels) -> None:
        self._store = store
        self._jobs = ConversionJobs(store.folder)
        self._lock = threading.Lock()
        self._settled: dict[str, Conversion] = {}
        self._requested: set[str] = set()
        self._is_closed = False
        _remove_leftovers(store, self._jobs)

    def state(self, fingerprint: str) -> Conversion:
        """Return how far a conversion is; a converted model's files are read once, which may take a second."""
        known = self._settled.get(fingerprint)
        if known is not None:
            return known
        job = self._jobs.get(fingerprint)
        if job is not None and job.stage == "failed":
            return Conversion("failed", problem=failed(job.reason))
        if job is not None and self._jobs.is_under_way(job):
            return Conversion(job.stage, None if job.stage == "waiting" else job.percent)
        found = self._store.find(fingerprint)
        if found is None:
            return Conversion()
        return self._settle(fingerprint, settled(found))

    def request(self, fingerprint: str, checkpoint: Path, in_haste: bool = False) -> None:
        """Have a checkpoint converted, unless that was done, refused, or failed too often; asks once in a program.

        A folder that cannot be written leaves torch, which is logged.
        """
        with self._lock:
            if fingerprint in self._requested or self._is_closed:
                return
            self._requested.add(fingerprint)
        self.state(fingerprint)
        if fingerprint in self._settled:
            return
        job = self._jobs.get(fingerprint)
        if job is None or job.stage == "waiting":
            self._start(replace(job or _job(fingerprint, checkpoint), in_haste=in_haste))
        elif job.stage != "failed":
            self._start(job)
        elif job.attempts < MOST_ATTEMPTS:
            self._start(replace(job, stage="waiting", in_haste=in_haste))

    def convert(
        self,
        fingerprint: str,
        checkpoint: Path,
        progress: Callable[[Conversion], None] = lambda state: None,
        cancelled: Callable[[], bool] = bool,
        again: bool = False,
    ) -> Conversion:
        """Convert a checkpoint and wait for the end, unless that was done or refused; a failed one is tried again.

        Args:
            fingerprint: Of the checkpoint.
            checkpoint: Its folder.
            progress: Receives each change, in this thread.
            cancelled: Polled; true ends the conversion.
            again: Try a refused one again, too.
        """
        state = self.state(fingerprint)
        if state.stage == "refused" and again:
            self._store.drop(fingerprint)
        elif state.stage in ("converted", "refused"):
            return state
        with self._lock:
            self._settled.pop(fingerprint, None)
            self._requested.add(fingerprint)
        self._start(replace(_job(fingerprint, checkpoint), in_haste=True))
        try:
            state = self.wait(fingerprint, progress, cancelled)
        except BaseException:  # interrupted by the user
            self.cancel(fingerprint)
            raise
        if state.is_under_way and not self._is_closed:
            self.cancel(fingerprint)
        elif state.problem is not None:
            _log.warning("The model %s stays with torch. %s", checkpoint.name, state.problem.message)
        return state

    def wait(
        self,
        fingerprint: str,
        progress: Callable[[Conversion], None] = lambda state: None,
        cancelled: Callable[[], bool] = bool,
    ) -> Conversion:
        """Wait for the end of a conversion that was requested; returns earlier where `cancelled` returns true."""
        last = None
        while True:
            state = self.state(fingerprint)
            job = self._jobs.get(fingerprint) if state.stage == "none" else None
            if job is not None:  # its helper was killed
                self._start(job)
                state = Conversion("waiting")
            if state != last:
                progress(last := state)
            if not state.is_under_way or self._is_closed or cancelled():
                return state
            time.sleep(_POLL_SECONDS)

    def cancel(self, fingerprint: str) -> None:
        """End a conversion that waits or runs; this program does not request it again by itself."""
        with self._lock:
            self._requested.add(fingerprint)
        self._jobs.remove(fingerprint)

    def refuse(self, fingerprint: str, problem: ModelError) -> None:
        """Never use a converted model again that turned out not to work."""
        try:
            self._store.refuse(fingerprint, problem)
        except OSError as error:
            _log.warning("The folder of converted models cannot be written: %s", error)
        self._settle(fingerprint, Conversion("refused", problem=problem))

    def fail(self, fingerprint: str, problem: EngineError) -> None:
        """Stop using a converted model that cannot be opened, until the next start; if it shipped, make one here."""
        if problem.code not in ("openvino_missing", "out_of_memory") and self._store.drop(fingerprint):
            with self._lock:
                self._settled.pop(fingerprint, None)
            return
        self._settle(fingerprint, Conversion("failed", problem=problem))

    def close(self) -> None:
        """Request nothing more and wait for nothing; the helper goes on."""
        self._is_closed = True

    def _start(self, job: Job) -> None:
        try:
            if job != self._jobs.get(job.fingerprint):
                self._jobs.put(job)
            start_helper(self._store.folder, self._jobs, job.in_haste)
        except (EngineError, OSError) as error:
            problem = failed(str(error).rstrip("."))
            self._settle(job.fingerprint, Conversion("failed", problem=problem))
            _log.warning("The model %s stays with torch. %s", Path(job.checkpoint).name, problem.message)

    def _settle(self, fingerprint: str, state: Conversion) -> Conversion:
        with self._lock:
            self._settled[fingerprint] = state
        return state


def start_helper(store: Path, jobs: ConversionJobs, in_haste: bool) -> None:
    """Start the helper process, unless one runs; takes about a millisecond.

    Raises:
        OSError: it cannot be started.
    """
    for _ in range(2):  # another program may hold the lock for a moment, to see whether a helper does
        lock = FileLock.take(jobs.helper_lock)
        if lock is not None:
            lock.release()
            start_detached("engine.inference.conversion_helper", str(store.absolute()), "some" if in_haste else "none")
            return
        time.sleep(_GLANCE_SECONDS)


def settled(found: Converted | ModelError) -> Conversion:
    """Return the state of what was found in the folder of converted models."""
    if isinstance(found, Converted):
        return Conversion("converted", converted=found)
    return Conversion("refused", problem=found)


def failed(reason: str) -> ModelError:
    """Return the error of a conversion that failed by chance."""
    return ModelError("conversion_failed", "The conversion did not work this time: {reason}.", reason=reason)


def _job(fingerprint: str, checkpoint: Path) -> Job:
    return Job(fingerprint, str(checkpoint.absolute()))


def _remove_leftovers(store: ConvertedModels, jobs: ConversionJobs) -> None:
    """Remove the work folder that a killed process left, unless one is at work."""
    try:
        if any(store.folder.glob(".work-*")) and (lock := FileLock.take(jobs.converting_lock)) is not None:
            try:
                with store.work_folder():
                    pass
            finally:
                lock.release()
    except OSError:
        return
