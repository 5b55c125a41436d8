"""The helper process that converts the queued models one at a time; it outlives the programs that start it.

It has the lowest priority unless somebody waits for it, and ends when nothing is queued. A log of bounded size is kept
beside the job files.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from logging.handlers import RotatingFileHandler
from pathlib import Path

from engine.detect.agreement import Disagreement
from engine.errors import ModelError
from engine.inference.conversion_jobs import MOST_ATTEMPTS, ConversionJobs, Job
from engine.inference.conversions import Conversion, failed, settled
from engine.models.converted import ConvertedModels, refusal
from engine.runtimes.background import lower_priority
from engine.runtimes.conversion_process import run_conversion
from engine.storage.lock import FileLock

PAUSE_SECONDS = 3.0
"""From a request to its conversion: a user who just got the first detections has the machine for the next ones."""
_POLL_SECONDS = 0.2
_LOCK_SECONDS = 2.0
_LOG_BYTES = 100_000
_log = logging.getLogger("detrdesk.helper")


def main(store: str, haste: str) -> None:
    """Convert every queued model, then end; ends at once where another helper runs.

    Args:
        store: The folder of converted models.
        haste: `some` where somebody waits; `none` means the lowest priority.
    """
    if haste == "none":
        lower_priority()
    _log_to(ConversionJobs(Path(store)).helper_lock.with_name(".helper.log"))
    try:
        convert_queued(ConvertedModels(Path(store)))
    except Exception:
        _log.exception("The helper broke.")


def convert_queued(store: ConvertedModels) -> None:
    """Convert every queued model; returns at once where another helper does.

    Raises:
        EngineError, OSError: the folder cannot be written.
    """
    jobs = ConversionJobs(store.folder)
    while (lock := _take_patiently(jobs.helper_lock)) is not None:
        try:
            while (job := jobs.next()) is not None:
                if not _must_wait(job):
                    _take_turn(store, jobs, job)
        finally:
            lock.release()
        if jobs.next() is None:  # nothing was queued between the last look and the release of the lock
            return


def _must_wait(job: Job) -> bool:
    """Sleep for a moment where it is too early for a job; a job in haste may come meanwhile."""
    left = job.requested_at + PAUSE_SECONDS - time.time()
    if job.in_haste or not 0 < left <= PAUSE_SECONDS:
        return False
    time.sleep(min(left, _POLL_SECONDS))
    return True


def _take_turn(store: ConvertedModels, jobs: ConversionJobs, job: Job) -> None:
    """Run a job when nothing else is converted."""
    lock = FileLock.take(jobs.converting_lock)
    if lock is None:
        time.sleep(_POLL_SECONDS)
        return
    try:
        if jobs.get(job.fingerprint) is not None:  # not cancelled meanwhile
            _run(store, jobs, job)
    finally:
        lock.release()


def _run(store: ConvertedModels, jobs: ConversionJobs, job: Job) -> None:
    """Convert a checkpoint; its job file tells other processes how far it is, and goes unless it failed."""
    if job.attempts >= MOST_ATTEMPTS:
        jobs.update(replace(job, stage="failed", reason="its process was ended in the middle of it, twice"))
        return
    _log.info("%s: attempt %d", job.checkpoint, job.attempts + 1)
    job = replace(job, stage="loading", attempts=job.attempts + 1)
    jobs.put(job)
    try:
        state = _converted(store, jobs, job)
    except OSError as error:
        state = Conversion("failed", problem=failed(str(error)))
    if state.stage == "failed" and state.problem is not None:
        jobs.update(replace(job, stage="failed", reason=str(state.problem.params["reason"])))
    else:
        jobs.remove(job.fingerprint)
    _log.info("%s: %s %s", job.checkpoint, state.stage, state.problem or "")


def _converted(store: ConvertedModels, jobs: ConversionJobs, job: Job) -> Conversion:
    """Convert a checkpoint, unless an earlier helper got as far as that.

    Returns:
        The state that it ends with; `none` where it was cancelled.

    Raises:
        OSError: the folder cannot be written.
    """
    found = store.find(job.fingerprint)
    if found is not None:
        return settled(found)

    def progress(stage: str, done: int, total: int) -> None:
        jobs.update(replace(job, stage=stage, percent=100 * done // total))  # type: ignore[arg-type]

    def is_cancelled() -> bool:
        return jobs.get(job.fingerprint) is None

    with store.work_folder() as work:
        checkpoint = Path(job.checkpoint)
        result = run_conversion("engine.runtimes.convert", checkpoint, work, job.in_haste, progress, is_cancelled)
        if is_cancelled():
            return Conversion()
        if "failed" in result:
            return Conversion("failed", problem=failed(result["failed"]))
        if "impossible" in result:
            return _refused(store, job, refusal("conversion_impossible", {"reason": result["impossible"]}))
        if result["fingerprint"] != job.fingerprint:
            return Conversion("failed", problem=failed("its files changed meanwhile"))
        differs = Disagreement(result["score"], result["pixels"])
        if not differs.is_small:
            differences = {"score": f"{differs.score:.2g}", "pixels": f"{differs.pixels:.3g}"}
            return _refused(store, job, refusal("conversion_differs", differences))
        store.keep(work, job.fingerprint, differs.score, differs.pixels)
    kept = store.find(job.fingerprint)
    return settled(kept) if kept is not None else Conversion("failed", problem=failed("it cannot be read back"))


def _refused(store: ConvertedModels, job: Job, problem: ModelError) -> Conversion:
    store.refuse(job.fingerprint, problem)
    return Conversion("refused", problem=problem)


def _take_patiently(path: Path) -> FileLock | None:
    """Take a lock that others may hold for a moment to see whether it is held."""
    until = time.monotonic() + _LOCK_SECONDS
    while (lock := FileLock.take(path)) is None and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return lock


def _log_to(path: Path) -> None:
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("detrdesk")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
