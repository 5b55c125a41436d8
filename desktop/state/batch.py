"""Progress and rate of detecting in all images."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from engine.batch.detect_many import Failure

__all__ = ["BatchState", "Failure", "Rate"]

_WINDOW_SECONDS = 10.0
_LEAST_SECONDS = 1.0
"""A rate over less than this would be a guess."""
_LEAST_COUNTED = 3
"""Of slow images, so many tell the rate."""


@dataclass(frozen=True, eq=False)
class BatchState:
    """The progress of a batch.

    Attributes:
        total: The number of images.
        done: How many are finished: detected in, known or failed.
        known: How many of them were in the cache.
        failures: Those of them that could not be opened or detected in.
        images_per_second: The present rate; `None` before it is known.
        seconds_left: At that rate.
        is_paused: Whether the user has paused it.
        is_running: Whether it is not finished yet.
    """

    total: int
    done: int = 0
    known: int = 0
    failures: tuple[Failure, ...] = ()
    images_per_second: float | None = None
    seconds_left: float | None = None
    is_paused: bool = False
    is_running: bool = True


class Rate:
    """The rate of events over the last seconds, or over the last few events where they are slow; breaks do not count.

    The event that is under way counts as fast as the others until it takes longer.
    """

    def __init__(self, now: float) -> None:
        """Begin at a moment, in seconds of a monotonic clock."""
        self._moments = deque([now])

    def count(self, now: float) -> None:
        """Count an event."""
        self._moments.append(now)

    def pass_over(self, seconds: float) -> None:
        """Exclude a break of this length that has just ended."""
        self._moments = deque(moment + seconds for moment in self._moments)

    def per_second(self, now: float) -> float | None:
        """Return the events per second; `None` where too few were counted."""
        while len(self._moments) > _LEAST_COUNTED + 1 and self._moments[0] < now - _WINDOW_SECONDS:
            self._moments.popleft()
        counted = len(self._moments) - 1
        if not counted or now - self._moments[0] < _LEAST_SECONDS:
            return None
        seconds = self._moments[-1] - self._moments[0]
        return counted / max(seconds, (now - self._moments[0]) * counted / (counted + 1))
