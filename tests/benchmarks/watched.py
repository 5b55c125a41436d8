"""The real window, with times from an action until its result is painted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PyQt5.QtCore import QEvent, QEventLoop, QObject, QTimer
from PyQt5.QtWidgets import QApplication

from desktop.app import build
from desktop.state.viewer import ViewerState

HEARTBEAT_MS = 5
PATIENCE_S = 300.0

Holds = Callable[[ViewerState], bool]


class WatchedWindow(QObject):
    """A window of 1600 x 1000 pixels.

    Attributes:
        longest_wait: Longest delay of a timer event since `restart`, seconds.
    """

    def __init__(self, given: Sequence[object] = ()) -> None:
        super().__init__()
        self.window = build([str(each) for each in given])
        self.viewer, self.view = self.window.viewer, self.window.view
        self.window.resize(1600, 1000)
        self.view.viewport().installEventFilter(self)
        self.window.show()
        self._awaited: Holds | None = None
        self._seen_at = 0.0
        self._beat = QTimer(self)
        self._beat.timeout.connect(self._on_beat)
        self._beat.start(HEARTBEAT_MS)
        self.restart()

    @property
    def state(self) -> ViewerState:
        """The current state of the viewer."""
        return self.viewer.state

    def restart(self) -> None:
        """Reset `longest_wait`."""
        self.longest_wait, self._last_beat = 0.0, time.perf_counter()

    def seen(self, act: Callable[[], object], holds: Holds) -> float:
        """Return seconds from `act` until the canvas was painted in a state that `holds`."""
        self._awaited, self._seen_at = holds, 0.0
        started = time.perf_counter()
        act()
        self.until(lambda _: self._seen_at > 0)
        return self._seen_at - started

    def until(self, holds: Holds) -> None:
        """Process events until the state `holds`.

        Raises:
            TimeoutError: it does not within PATIENCE_S.
        """
        end = time.perf_counter() + PATIENCE_S
        while not holds(self.state):
            if time.perf_counter() > end:
                raise TimeoutError(f"{self.state.stage} {self.state.message}")
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def shown_at(self, place: int, act: Callable[[], object]) -> float:
        """Return seconds from `act` until the image at a place and its detections were painted."""
        source = self.state.sources[place]
        return self.seen(
            act, lambda state: state.image is not None and state.image.source is source and state.detections is not None
        )

    def prefetch(self) -> None:
        """Wait until the next two images are prefetched with their detections."""
        engine, prefetch, model = self.viewer.engine, self.viewer.runner.prefetch, self.state.model
        while True:
            self.until(lambda state: state.stage is None and state.at is not None)
            coming = self.state.sources[self.state.at + 1 : self.state.at + 3]
            ready = [each.image for each in prefetch.ready if any(each.image.source is source for source in coming)]
            if len(ready) == len(coming) and all(engine.known.recall(image, model) is not None for image in ready):
                return
            self.rest(0.1)

    def rest(self, seconds: float) -> None:
        """Process events for some seconds."""
        end = time.perf_counter() + seconds
        self.until(lambda _: time.perf_counter() > end)

    def close(self) -> None:
        self.window.close()

    def eventFilter(self, target: QObject, event: QEvent) -> bool:
        # the event comes before the painting; the next turn of the event loop comes after it
        if event.type() == QEvent.Type.Paint and self._awaited is not None and self._awaited(self.state):
            self._awaited = None
            QTimer.singleShot(0, self._on_seen)
        return False

    def _on_seen(self) -> None:
        self._seen_at = time.perf_counter()

    def _on_beat(self) -> None:
        now = time.perf_counter()
        self.longest_wait = max(self.longest_wait, now - self._last_beat - HEARTBEAT_MS / 1e3)
        self._last_beat = now
