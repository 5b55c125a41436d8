"""Models are converted for OpenVINO in the background, one at a time, while torch answers."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.detect.agreement import Difference
from engine.errors import EngineError, ModelError
from engine.models.converted import Converted, ConvertedModels, refusal
from engine.runtimes.conversion_process import ConversionProcess
from engine.storage.lock import FileLock

PAUSE_S = 3.0
"""From a model's first answer to its conversion: programs that ask once are gone by then, and a user who just got the
first detections has the machine for the next ones."""
_LOOK_EVERY = 0.5
_log = logging.getLogger("detrdesk.runtimes")

Stage = Literal["none", "waiting", "loading", "converting", "comparing", "converted", "refused", "failed"]
ENDED: frozenset[Stage] = frozenset({"none", "converted", "refused", "failed"})


@dataclass(frozen=True, slots=True)
class Conversion:
    """How far a model's conversion is.

    Attributes:
        stage: `refused` stays so until a version changes, `failed` until the next start.
        problem: Why it is refused or failed.
        converted: The model, where it is converted.
    """

    stage: Stage = "none"
    problem: EngineError | None = None
    converted: Converted | None = None


@dataclass(slots=True)
class _Job:
    fingerprint: str
    checkpoint: Path
    due: float
    in_haste: bool


class Conversions:
    """The conversions of one program, by the fingerprint of the checkpoint; safe to use from any thread."""

    def __init__(self, store: ConvertedModels) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._states: dict[str, Conversion] = {}
        self._jobs: list[_Job] = []
        self._observers: list[Callable[[str], None]] = []
        self._process = ConversionProcess()
        self._worker: threading.Thread | None = None
        self._is_closed = False

    @contextmanager
    def observed(self, observer: Callable[[str], None]) -> Iterator[None]:
        """Call this with a fingerprint after each change, inside the block; in a thread that must not be held up."""
        self._observers.append(observer)
        try:
            yield
        finally:
            self._observers.remove(observer)

    def state(self, fingerprint: str) -> Conversion:
        """How far it is; what is on the disk is looked at once, which may take seconds."""
        known = self._states.get(fingerprint)
        if known is None:
            found = self._store.find(fingerprint)
            known = self._states.setdefault(fingerprint, Conversion() if found is None else _known(found))
        return known

    def want(self, fingerprint: str, checkpoint: Path, pause: float = PAUSE_S, in_haste: bool = False) -> None:
        """Convert a checkpoint, unless that was done or tried before.

        Args:
            fingerprint: What it is known by.
            checkpoint: Its folder.
            pause: Seconds to wait before.
            in_haste: Whether somebody waits for it; else it takes only what other programs leave.
        """
        self.state(fingerprint)  # from the disk, before others wait for the lock
        with self._changed:
            if self._is_closed or self.state(fingerprint).stage != "none":
                return
            self._states[fingerprint] = Conversion("waiting")
            self._jobs.append(_Job(fingerprint, checkpoint, time.monotonic() + pause, in_haste))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="conversions", daemon=True)
                self._worker.start()
        self._tell(fingerprint)

    def wait(self, fingerprint: str, cancelled: Callable[[], bool] = bool, timeout: float | None = None) -> Conversion:
        """Wait until a conversion that was wanted has ended; it need not wait for its pause.

        Args:
            fingerprint: Of the checkpoint.
            cancelled: Asked now and then; true gives up.
            timeout: Seconds; `None` is as long as it takes.
        """
        until = math.inf if timeout is None else time.monotonic() + timeout
        self.state(fingerprint)  # from the disk, before others wait for the lock
        with self._changed:
            for job in self._jobs:
                if job.fingerprint == fingerprint:
                    job.due, job.in_haste = 0.0, True
            self._changed.notify_all()
            while (state := self.state(fingerprint)).stage not in ENDED and not self._is_closed:
                left = until - time.monotonic()
                if left <= 0 or cancelled():
                    break
                self._changed.wait(min(left, _LOOK_EVERY))
        return state

    def doubt(self, fingerprint: str, problem: ModelError) -> None:
        """A converted model failed at an image: it is not used until `trust`, nor after `refuse`."""
        self._set(fingerprint, Conversion("failed", problem))

    def trust(self, fingerprint: str) -> None:
        """What a converted model failed at was not its fault: it is used again, if it is still there."""
        with self._changed:
            self._states.pop(fingerprint, None)
        self._tell(fingerprint)

    def refuse(self, fingerprint: str, problem: ModelError) -> None:
        """A converted model turned out not to work: it is not used again."""
        try:
            self._store.refuse(fingerprint, problem)
        except OSError as error:
            _log.warning("The folder of converted models cannot be written: %s", error)
        self._set(fingerprint, Conversion("refused", problem))

    def fail(self, fingerprint: str, problem: EngineError) -> None:
        """A converted model cannot be opened: it is not tried again before the next start."""
        if problem.code not in ("openvino_missing", "out_of_memory"):
            self._store.drop(fingerprint)
        self._set(fingerprint, Conversion("failed", problem))

    def close(self) -> None:
        """End the process that converts, and start no other."""
        with self._changed:
            self._is_closed = True
            self._jobs.clear()
            self._changed.notify_all()
            worker = self._worker
        self._process.end()
        if worker is not None:
            worker.join(1.0)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            state = self._convert(job)
            if not self._is_closed:
                _log_end(job.checkpoint, state)
            self._set(job.fingerprint, state)

    def _next(self) -> _Job | None:
        """The next job, when it is due; none ends the worker."""
        with self._changed:
            while self._jobs:
                self._jobs.sort(key=lambda job: job.due)
                left = self._jobs[0].due - time.monotonic()
                if left <= 0:
                    return self._jobs.pop(0)
                self._changed.wait(left)
            self._worker = None
            return None

    def _convert(self, job: _Job) -> Conversion:
        try:
            lock = self._lock()
            if lock is None:
                return Conversion("failed", _failed("the program ends"))
            try:
                found = self._store.find(job.fingerprint)  # another program may have made it meanwhile
                return self._run(job) if found is None else _known(found)
            finally:
                lock.release()
        except OSError as error:
            return Conversion("failed", _failed(str(error)))

    def _run(self, job: _Job) -> Conversion:
        with self._store.work_folder() as work:
            told = self._process.run(
                job.checkpoint,
                work,
                job.in_haste,
                lambda stage: self._set(job.fingerprint, Conversion(stage)),  # type: ignore[arg-type]
            )
            if "failed" in told:
                return Conversion("failed", _failed(told["failed"]))
            if "impossible" in told:
                return self._refused(job, refusal("conversion_impossible", {"reason": told["impossible"]}))
            if told["fingerprint"] != job.fingerprint:
                return Conversion("failed", _failed("its files changed meanwhile"))
            found = Difference(told["score"], told["pixels"])
            if not found.is_small:
                told = {"score": f"{found.score:.2g}", "pixels": f"{found.pixels:.3g}"}
                return self._refused(job, refusal("conversion_differs", told))
            self._store.keep(work, job.fingerprint, found.score, found.pixels)
        return _known(self._store.find(job.fingerprint))

    def _refused(self, job: _Job, problem: ModelError) -> Conversion:
        self._store.refuse(job.fingerprint, problem)
        return Conversion("refused", problem)

    def _lock(self) -> FileLock | None:
        """The right to convert, of which this user's programs have one; `None` where this program ends."""
        self._store.folder.mkdir(parents=True, exist_ok=True)
        while not self._is_closed:
            lock = FileLock.take(self._store.folder / ".lock")
            if lock is not None:
                return lock
            with self._changed:
                self._changed.wait(_LOOK_EVERY)
        return None

    def _set(self, fingerprint: str, state: Conversion) -> None:
        with self._changed:
            self._states[fingerprint] = state
            self._changed.notify_all()
        self._tell(fingerprint)

    def _tell(self, fingerprint: str) -> None:
        for observer in tuple(self._observers):
            try:
                observer(fingerprint)
            except Exception:  # e.g. nobody reads what it prints any more; others wait for the conversion, too
                _log.exception("What is told of conversions was not heard.")


def _known(found: Converted | ModelError | None) -> Conversion:
    if isinstance(found, Converted):
        return Conversion("converted", converted=found)
    return Conversion("failed", _failed("it cannot be read back")) if found is None else Conversion("refused", found)


def _failed(reason: str) -> ModelError:
    return ModelError("conversion_failed", "The conversion did not work this time: {reason}.", reason=reason)


def _log_end(checkpoint: Path, state: Conversion) -> None:
    if state.problem is None:
        _log.info("The model %s is converted: OpenVINO takes over.", checkpoint.name)
    else:
        _log.warning("The model %s stays with torch. %s", checkpoint.name, state.problem.message)
