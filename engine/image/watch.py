"""A deadline that holds for all of a fetch: whatever blocks on the socket is woken by shutting it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

from engine.errors import CancelledError

_LOOK_EVERY = 0.05
"""Seconds between two looks at the clock and at `cancelled`."""


class DeadlineError(Exception):
    """The time is up."""


class Watch:
    """Shuts the socket in use at the deadline, or when the work was cancelled; a context manager.

    Args:
        seconds: Time for all that happens inside.
        cancelled: True gives up; called from the watch's own thread too.
    """

    def __init__(self, seconds: float, cancelled: Callable[[], bool]) -> None:
        self._deadline = time.monotonic() + seconds
        self._cancelled = cancelled
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._look, name="fetch-watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._let_go()

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; a little above 0 when it is past, so that it serves as a timeout."""
        return max(self._deadline - time.monotonic(), 0.001)

    def check(self) -> None:
        """Raise when there is no sense in going on.

        Raises:
            CancelledError: `cancelled` says so.
            DeadlineError: the time is up.
        """
        if self._cancelled():
            raise CancelledError
        if time.monotonic() >= self._deadline:
            raise DeadlineError

    def hold(self, sock: socket.socket) -> None:
        """Shut the connection of `sock` when the time comes, in place of the one before.

        A duplicate is kept, since TLS takes the socket itself apart.
        """
        with self._lock:
            self._let_go()
            self._socket = sock.dup()
        self.check()

    def wait(self, done: threading.Event) -> None:
        """Wait for `done`, checking all the while."""
        while not done.wait(min(_LOOK_EVERY, self.remaining)):
            self.check()

    def _look(self) -> None:
        while not self._over.wait(min(_LOOK_EVERY, self.remaining)):
            if self._cancelled() or time.monotonic() >= self._deadline:
                self._shut()

    def _shut(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
