"""The one queue for the model: who is next, and how many may wait."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import TracebackType

from engine.errors import CancelledError, EngineError

Cancelled = Callable[[], bool]
Order = tuple[int, int]
"""Who goes first: the lower one."""

_LOOK_EVERY = 0.05
"""Seconds between two looks at `cancelled` while waiting."""

_DECODED_AT_ONCE = 4
"""Images of queued requests that are decoded at a time: enough that the model never waits, little memory."""


class Rank(IntEnum):
    """Who asks; the lower one goes first."""

    WINDOW = 0
    API = 1
    AHEAD = 2
    """Images that will probably be looked at next."""
    MANY = 3
    """Work through a whole list."""


class Turnstile:
    """Lets `width` callers in at a time; of those who wait, the one with the lowest order."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._inside = 0
        self._waiting: list[Order] = []
        self._changed = threading.Condition()

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the way in."""
        return bool(self._waiting)

    @contextmanager
    def passed(self, order: Order, cancelled: Cancelled) -> Iterator[None]:
        """Wait for the way in, and leave at the end of the block.

        Raises:
            CancelledError: `cancelled` said so before the way was free.
        """
        self._enter(order, cancelled)
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def _enter(self, order: Order, cancelled: Cancelled) -> None:
        with self._changed:
            self._waiting.append(order)
            try:
                while not cancelled():
                    if self._inside < self._width and min(self._waiting) == order:
                        self._inside += 1
                        return
                    self._changed.wait(_LOOK_EVERY)
                raise CancelledError
            finally:
                self._waiting.remove(order)
                self._changed.notify_all()


class Places:
    """What a request holds in the queue, a place for each of its images; a context manager that gives the rest back.

    Attributes:
        order: When it was taken.
        left: Images that have not had their turn.
    """

    def __init__(self, scheduler: Scheduler, order: Order, images: int) -> None:
        self._scheduler = scheduler
        self.order = order
        self.left = images

    def __enter__(self) -> Places:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scheduler.give_back(self, self.left)


class Scheduler:
    """Grants turns at the model, one at a time, each run by the caller's own thread; safe to use from any thread.

    The window and the command line take turns as they come, ahead of all requests from outside. Those reserve places
    first, of which there are `limit`, and are served in the order in which they reserved. What nobody waits for goes
    behind them all. What is answered together in one turn is up to `engine.inference.answering`.
    """

    def __init__(self, limit: int = 32) -> None:
        self.limit = limit
        self._waiting = 0
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._model = Turnstile(1)
        self._decoded = Turnstile(_DECODED_AT_ONCE)

    @property
    def waiting(self) -> int:
        """Places that are taken: images that have not had their turn."""
        return self._waiting

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for a turn."""
        return self._model.is_awaited

    def reserve(self, images: int) -> Places:
        """Places in the queue for `images` images, all or none.

        Raises:
            EngineError: `queue_full`.
        """
        with self._lock:
            if self._waiting + images > self.limit:
                message = "{limit} images are waiting already; ask again in a few seconds, with fewer images at once."
                raise EngineError("queue_full", message, limit=self.limit)
            self._waiting += images
            return Places(self, (Rank.API, next(self._numbers)), images)

    def behind(self, rank: Rank) -> Places:
        """A place that takes none of the `limit`, for turns one after the other, behind everyone of a lower rank."""
        return Places(self, (rank, next(self._numbers)), 0)

    def give_back(self, places: Places, images: int) -> None:
        """Free `images` of the places."""
        with self._lock:
            given = min(images, places.left)
            places.left -= given
            self._waiting -= given

    @contextmanager
    def room(self, places: Places, cancelled: Cancelled = bool) -> Iterator[None]:
        """Room in memory for one decoded image, until the end of the block.

        Raises:
            CancelledError: `cancelled` said so while waiting.
        """
        with self._decoded.passed(places.order, cancelled):
            yield

    @contextmanager
    def turn(self, cancelled: Cancelled = bool, places: Places | None = None) -> Iterator[None]:
        """A turn at the model, until the end of the block.

        Args:
            cancelled: Asked while waiting; true gives up.
            places: Where the caller is in the queue, one place of which is used up; `None` goes first.

        Raises:
            CancelledError: `cancelled` said so before the turn came.
        """
        order = places.order if places else (Rank.WINDOW, next(self._numbers))
        with self._model.passed(order, cancelled):
            if places:
                self.give_back(places, 1)
            yield
