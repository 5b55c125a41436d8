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
"""Seconds that the rate is measured over."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A download at a moment.

    Attributes:
        state: `asking` (the hub, what there is), `downloading`, `waiting` (to try again), `paused`, `checking` (files
            that are on disk from before), `done`.
        done: Bytes on disk.
        total: Bytes in all; 0 while that is not known.
        rate: Bytes a second, over the last 5 s.
        file: Name of the file in work; empty between files.
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
        """Seconds until it is done at this rate; `None` where that cannot be told."""
        return (self.total - self.done) / self.rate if self.rate > 0 and self.state == "downloading" else None


Tell = Callable[[Progress], None]


class Meter:
    """Counts the bytes of a download and reports progress, at most ten times a second.

    Args:
        tell: Gets each value, in the thread of the download.
        clock: Seconds that only go on.
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
        """Add bytes that were on disk already, negative where they turned out wrong; not counted for the rate."""
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
        """Report now."""
        self._told = (state, self._clock())
        if state in ("paused", "waiting"):
            self._arrived.clear()
        self._tell(Progress(state, self._done, self.total, self._rate(), self.file, retry_in))

    def _rate(self) -> float:
        """The first piece only starts the clock: when it began is not known."""
        if len(self._arrived) < 2:
            return 0.0
        seconds = self._arrived[-1][0] - self._arrived[0][0]
        return (sum(size for _, size in self._arrived) - self._arrived[0][1]) / seconds if seconds > 0 else 0.0
