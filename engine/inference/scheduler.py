"""The queue for the model: whose turn is next, and how many images may wait."""

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
"""Rank and number; the lower one goes first."""

_POLL_SECONDS = 0.05
"""Between two calls of `cancelled` while waiting."""

_DECODED_AT_ONCE = 4
"""Images of queued requests in memory: enough that the model never waits."""


class Rank(IntEnum):
    """Kinds of callers; the lower one goes first."""

    WINDOW = 0
    API = 1
    AHEAD = 2
    """Images that the user will probably open next."""
    MANY = 3
    """Work through a whole list."""


class Turnstile:
    """Lets `width` callers in at a time, the lowest order first."""

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
                    self._changed.wait(_POLL_SECONDS)
                raise CancelledError
            finally:
                self._waiting.remove(order)
                self._changed.notify_all()


class Reservation:
    """The places of a request in the queue, one an image; a context manager that gives back those left over.

    Attributes:
        order: Its position in the queue.
        left: Images that have not had their turn.
    """

    def __init__(self, scheduler: Scheduler, order: Order, images: int) -> None:
        self._scheduler = scheduler
        self.order = order
        self.left = images

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scheduler.give_back(self, self.left)


class Scheduler:
    """Grants turns at the model, one at a time, each in the caller's own thread; thread-safe.

    The window and the command line go before all HTTP requests. Those reserve places first, of which there are `limit`,
    and are served in that order. Work that nobody waits for goes last. Which images share a turn is decided by
    `engine.inference.batcher`.
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
        """Reserved places: images that have not had their turn."""
        return self._waiting

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for a turn."""
        return self._model.is_awaited

    def reserve(self, images: int) -> Reservation:
        """Reserve a place for each of `images` images, all or none.

        Raises:
            EngineError: `queue_full`.
        """
        with self._lock:
            if self._waiting + images > self.limit:
                message = "{limit} images are waiting already; ask again in a few seconds, with fewer images at once."
                raise EngineError("queue_full", message, limit=self.limit)
            self._waiting += images
            return Reservation(self, (Rank.API, next(self._numbers)), images)

    def behind(self, rank: Rank) -> Reservation:
        """Return a reservation outside the `limit`, for one turn after the other, behind everyone of a lower rank."""
        return Reservation(self, (rank, next(self._numbers)), 0)

    def give_back(self, reservation: Reservation, images: int) -> None:
        """Free the places of `images` images."""
        with self._lock:
            freed = min(images, reservation.left)
            reservation.left -= freed
            self._waiting -= freed

    @contextmanager
    def room(self, reservation: Reservation, cancelled: Cancelled = bool) -> Iterator[None]:
        """Wait for room in memory for one decoded image, held until the end of the block.

        Raises:
            CancelledError: `cancelled` said so while waiting.
        """
        with self._decoded.passed(reservation.order, cancelled):
            yield

    @contextmanager
    def turn(self, cancelled: Cancelled = bool, reservation: Reservation | None = None) -> Iterator[None]:
        """Wait for a turn at the model, held until the end of the block.

        Args:
            cancelled: Polled while waiting; true gives up.
            reservation: The caller's place in the queue, one of which is used up; `None` goes first.

        Raises:
            CancelledError: `cancelled` said so before the turn came.
        """
        order = reservation.order if reservation else (Rank.WINDOW, next(self._numbers))
        with self._model.passed(order, cancelled):
            if reservation:
                self.give_back(reservation, 1)
            yield
