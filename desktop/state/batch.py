"""How far detecting in all images is, as one frozen value, and how fast it goes."""

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
    """What the window shows of it.

    Attributes:
        total: Images to go through.
        done: Those that are through: detected in, known or failed.
        known: Those of them whose answer was known from earlier.
        failures: Those of them that could not be opened or detected in.
        images_per_second: As it is at last; `None` where nothing can be told yet.
        seconds_left: At that rate.
        is_paused, is_running: Whether it waits for the user; whether it is not over yet.
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
    """How fast things happen: over the last seconds, or the last few of them where they are slow; breaks do not count.

    The one that is under way is taken for as fast as the others, until it has taken longer.
    """

    def __init__(self, now: float) -> None:
        """Begin at a moment, in seconds of any clock that only goes forward."""
        self._moments = deque([now])

    def count(self, now: float) -> None:
        """One more."""
        self._moments.append(now)

    def pass_over(self, seconds: float) -> None:
        """A break of so many seconds has just ended: as if it had not been."""
        self._moments = deque(moment + seconds for moment in self._moments)

    def per_second(self, now: float) -> float | None:
        """How many a second; `None` where nothing can be told."""
        while len(self._moments) > _LEAST_COUNTED + 1 and self._moments[0] < now - _WINDOW_SECONDS:
            self._moments.popleft()
        counted = len(self._moments) - 1
        if not counted or now - self._moments[0] < _LEAST_SECONDS:
            return None
        seconds = self._moments[-1] - self._moments[0]
        return counted / max(seconds, (now - self._moments[0]) * counted / (counted + 1))
