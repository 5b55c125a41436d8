"""Detecting in all images behind the window's back; the window's own requests go first."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.batch import BatchState, Rate
from desktop.state.look import Look
from desktop.work.feed import Feed
from engine.batch.detect_all import detect_all
from engine.batch.detect_many import Answer, Failure
from engine.detect.tiling import Tiling
from engine.engine import Engine
from engine.errors import EngineError
from engine.image.source import Source


class _Run(threading.Thread):
    """One way through a list, in a thread of its own; tells the feed what comes out."""

    def __init__(self, engine: Engine, sources: Sequence[Source], look: Look, feed: Feed) -> None:
        super().__init__(name="detect all", daemon=True)
        self._engine = engine
        self._sources = tuple(sources)
        self._look = look
        self._feed = feed
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self.is_cancelled = False

    def pause(self) -> None:
        """Stop after the image that is being looked at."""
        self._may_go_on.clear()

    def resume(self) -> None:
        """Go on."""
        self._may_go_on.set()

    def cancel(self) -> None:
        """Stop for good."""
        self.is_cancelled = True
        self._may_go_on.set()

    def run(self) -> None:
        """Go through the list; the last thing told is `None`."""
        try:
            model, tiling = self._look.model, self._look.tiling
            for outcome in detect_all(self._engine, self._sources, model, lambda: self.is_cancelled, tiling=tiling):
                self._feed.put((self, replace(outcome, image=None) if isinstance(outcome, Answer) else outcome))
                self._may_go_on.wait()
        except EngineError as error:
            self._feed.put((self, error))
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            bug = EngineError("bug", "Something went wrong inside detrdesk; the log says what.")
            self._feed.put((self, bug))
        finally:
            self._feed.put((self, None))


class BatchRunner(QObject):
    """Goes through one list at a time; used in the window's thread, where its signals come.

    Attributes:
        state: How far it is; `None` before the first time.

    Signals:
        progressed(BatchState): How far it is, a few times a second.
        found(Source, str, int, int, Detections): An image was detected in, or was known: content hash, width, height.
        failed(Source, EngineError): An image could not be opened or detected in.
        broken(EngineError): The model cannot be used; it ends here.
        finished(BatchState): It is over, or was cancelled.
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
        self._feed.delivered.connect(self._take)
        self._run: _Run | None = None
        self._left: list[_Run] = []
        self._rate = Rate(0.0)
        self._paused_at: float | None = None
        self._failures: list[Failure] = []
        self._total = self._done = self._known = 0
        self.state: BatchState | None = None

    def start(self, sources: Sequence[Source], model: str, tiling: Tiling | None = None) -> None:
        """Go through these images, cut into tiles if they are to be; the list before, if it is not done, is dropped."""
        self._drop()
        self._rate, self._paused_at, self._failures = Rate(time.monotonic()), None, []
        self._total, self._done, self._known = len(sources), 0, 0
        self._run = _Run(self._engine, sources, Look(model, tiling), self._feed)
        self._run.start()
        self._tell()

    def pause(self) -> None:
        """Stop after the image that is being looked at."""
        if self._run is not None and self._paused_at is None:
            self._run.pause()
            self._paused_at = time.monotonic()
            self._tell()

    def resume(self) -> None:
        """Go on."""
        if self._run is not None and self._paused_at is not None:
            self._rate.pass_over(time.monotonic() - self._paused_at)
            self._paused_at = None
            self._run.resume()
            self._tell()

    def cancel(self) -> None:
        """Stop for good; what is found is kept, and `finished` follows at once."""
        if self._run is not None:
            self._drop()
            self._end()

    def stop(self, seconds: float) -> bool:
        """Cancel without a word, and tell whether every thread ended in time."""
        self._drop()
        until = time.monotonic() + seconds
        for run in self._left:
            run.join(max(until - time.monotonic(), 0.0))
        return not any(run.is_alive() for run in self._left)

    def _drop(self) -> None:
        if self._run is not None:
            self._run.cancel()
            self._left = [run for run in self._left if run.is_alive()] + [self._run]
            self._run = None

    def _take(self, outcomes: list[tuple[_Run, Answer | Failure | EngineError | None]]) -> None:
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
            self._tell()

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

    def _tell(self) -> None:
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
