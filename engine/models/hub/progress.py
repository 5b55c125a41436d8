"""The progress of a download."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["asking", "downloading", "waiting", "paused", "checking", "done"]

_TELL_EVERY = 0.1
"""Least seconds between two reports of the same state."""
_WINDOW = 5.0
"""Window of the measured rate, seconds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a download.

    Attributes:
        state: `asking` (for the list of files), `downloading`, `waiting` (for the next attempt), `paused`, `checking`
            (hashing files of an earlier download), `done`.
        done: Bytes on disk.
        total: Bytes in all; 0 while unknown.
        rate: Bytes per second over the last 5 s.
        file: Name of the current file; empty between files.
        retry_in: Seconds until the next attempt, while `waiting`.
    """

    state: State
    done: int = 0
    total: int = 0
    rate: float = 0.0
    file: str = ""
    retry_in: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds left; `None` if unknown."""
        return (self.total - self.done) / self.rate if self.rate > 0 and self.state == "downloading" else None


Tell = Callable[[Progress], None]


class Meter:
    """Counts the bytes of a download and reports progress, at most ten times a second.

    Args:
        tell: Receives each report, in the download's thread.
        clock: Monotonic clock, seconds.
    """

    def __init__(self, tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = 0
        self.file = ""
        self._tell, self._clock = tell, clock
        self._done = 0
        self._told: tuple[State, float] | None = None
        self._arrived: deque[tuple[float, int]] = deque()

    @property
    def done(self) -> int:
        """Bytes on disk."""
        return self._done

    def found(self, size: int) -> None:
        """Add bytes of an earlier download (negative if they were discarded); they do not count for the rate."""
        self._done += size

    def got(self, size: int) -> None:
        """Add received bytes."""
        now = self._clock()
        self._done += size
        self._arrived.append((now, size))
        while self._arrived[0][0] < now - _WINDOW:
            self._arrived.popleft()
        if self._told is None or self._told[0] != "downloading" or now - self._told[1] >= _TELL_EVERY:
            self.say("downloading")

    def say(self, state: State, retry_in: float | None = None) -> None:
        """Report a state now."""
        self._told = (state, self._clock())
        if state in ("paused", "waiting"):
            self._arrived.clear()
        self._tell(Progress(state, self._done, self.total, self._rate(), self.file, retry_in))

    def _rate(self) -> float:
        """Return bytes per second; the first chunk is not counted because its start time is unknown."""
        if len(self._arrived) < 2:
            return 0.0
        seconds = self._arrived[-1][0] - self._arrived[0][0]
        return (sum(size for _, size in self._arrived) - self._arrived[0][1]) / seconds if seconds > 0 else 0.0
