"""Detecting in all images in the background; requests about the shown image go first."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.batch import BatchState, Rate
from desktop.state.detection_setup import DetectionSetup
from desktop.work.feed import Feed
from desktop.work.task_runner import Task, TaskRunner
from engine.batch.detect_many import Answer, Failure, detect_many
from engine.detect.tiling import Tiling
from engine.engine import Engine
from engine.errors import EngineError
from engine.image.source import Source


class _Run:
    """One run through a list; puts `(self, outcome)` into the feed for each image."""

    def __init__(self, engine: Engine, sources: Sequence[Source], setup: DetectionSetup, feed: Feed) -> None:
        self._engine = engine
        self._sources = tuple(sources)
        self._setup = setup
        self._feed = feed
        self.resumed = threading.Event()
        self.resumed.set()

    def work(self, task: Task) -> None:
        """Detect in each image; waits between two images while `resumed` is clear."""
        model, tiling = self._setup.model, self._setup.tiling
        for outcome in detect_many(self._engine, self._sources, model, task.cancelled, tiling=tiling):
            self._feed.put((self, replace(outcome, image=None) if isinstance(outcome, Answer) else outcome))
            self.resumed.wait()

    def end(self, error: EngineError | None = None) -> None:
        """Put the error, if there is one, and `None` behind the last outcome."""
        if error is not None:
            self._feed.put((self, error))
        self._feed.put((self, None))


class BatchRunner(QObject):
    """Runs through one list at a time.

    Attributes:
        state: The progress; `None` before the first run.

    Signals:
        progressed(BatchState): The progress, a few times a second.
        found(Source, str, int, int, Detections): The detections in an image, with its content hash, width and height.
        failed(Source, EngineError): An image could not be opened or detected in.
        broken(EngineError): The model cannot be used; the run ends.
        finished(BatchState): The run ended or was cancelled.
    """

    progressed = pyqtSignal(object)
    found = pyqtSignal(object, str, int, int, object)
    failed = pyqtSignal(object, object)
    broken = pyqtSignal(object)
    finished = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._feed = Feed(parent=self)
        self._feed.delivered.connect(self._on_outcomes)
        self._run: _Run | None = None
        self._tasks = TaskRunner("detect all", self, threads=None)
        self._rate = Rate(0.0)
        self._paused_at: float | None = None
        self._failures: list[Failure] = []
        self._total = self._done = self._known = 0
        self.state: BatchState | None = None

    def start(self, sources: Sequence[Source], model: str, tiling: Tiling | None = None) -> None:
        """Detect in these images, tiled as given; a run that has not ended is cancelled."""
        self._drop()
        self._rate, self._paused_at, self._failures = Rate(time.monotonic()), None, []
        self._total, self._done, self._known = len(sources), 0, 0
        self._run = run = _Run(self._engine, sources, DetectionSetup(model, tiling), self._feed)
        self._tasks.run(self._run.work, lambda _: run.end(), failed=run.end)
        self._report()

    def pause(self) -> None:
        """Pause after the current image."""
        if self._run is not None and self._paused_at is None:
            self._run.resumed.clear()
            self._paused_at = time.monotonic()
            self._report()

    def resume(self) -> None:
        """Continue a paused run."""
        if self._run is not None and self._paused_at is not None:
            self._rate.pass_over(time.monotonic() - self._paused_at)
            self._paused_at = None
            self._run.resumed.set()
            self._report()

    def cancel(self) -> None:
        """Cancel the run; `finished` is emitted before this returns."""
        if self._run is not None:
            self._drop()
            self._end()

    def stop(self, seconds: float) -> bool:
        """Cancel without a signal, and return whether every thread ended in time."""
        self._drop()
        return self._tasks.stop(seconds)

    def _drop(self) -> None:
        if self._run is not None:
            self._tasks.cancel()
            self._run.resumed.set()
            self._run = None

    def _on_outcomes(self, outcomes: list[tuple[_Run, Answer | Failure | EngineError | None]]) -> None:
        for run, outcome in outcomes:
            if run is not self._run:
                continue
            match outcome:
                case None:
                    self._drop()
                    self._end()
                case EngineError():
                    self.broken.emit(outcome)
                case _:
                    self._count(outcome)
        if self._run is not None:
            self._report()

    def _count(self, outcome: Answer | Failure) -> None:
        self._done += 1
        self._rate.count(time.monotonic())
        if isinstance(outcome, Failure):
            self._failures.append(outcome)
            self.failed.emit(outcome.source, outcome.error)
            return
        self._known += outcome.is_known
        found = outcome.found
        self.found.emit(outcome.source, outcome.content_hash, found.width, found.height, found)

    def _report(self) -> None:
        self.state = self._snapshot()
        self.progressed.emit(self.state)

    def _end(self) -> None:
        self._paused_at = None
        self.state = replace(self._snapshot(), seconds_left=None, is_running=False)
        self.finished.emit(self.state)

    def _snapshot(self) -> BatchState:
        now = self._paused_at if self._paused_at is not None else time.monotonic()
        rate = self._rate.per_second(now)
        return BatchState(
            total=self._total,
            done=self._done,
            known=self._known,
            failures=tuple(self._failures),
            images_per_second=rate,
            seconds_left=None if rate is None else (self._total - self._done) / rate,
            is_paused=self._paused_at is not None,
        )
