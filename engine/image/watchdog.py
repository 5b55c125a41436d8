"""A deadline for a whole fetch, enforced by shutting down the socket that blocks."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

from engine.errors import CancelledError

_LOOK_EVERY = 0.05
"""Seconds between two checks of the clock and of `cancelled`."""


class DeadlineError(Exception):
    """The deadline has passed."""


class Watchdog:
    """A context manager that shuts down the socket in use at the deadline or on cancellation.

    Args:
        seconds: Time limit of the block.
        cancelled: Return true to give up; also called from the watchdog's thread.
    """

    def __init__(self, seconds: float, cancelled: Callable[[], bool]) -> None:
        self._deadline = time.monotonic() + seconds
        self._cancelled = cancelled
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._look, name="fetch-watchdog", daemon=True)

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._let_go()

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, at least 0.001 so that it is a valid timeout."""
        return max(self._deadline - time.monotonic(), 0.001)

    def check(self) -> None:
        """Raise if the work is cancelled or late.

        Raises:
            CancelledError: `cancelled` returned true.
            DeadlineError: The deadline has passed.
        """
        if self._cancelled():
            raise CancelledError
        if time.monotonic() >= self._deadline:
            raise DeadlineError

    def hold(self, sock: socket.socket) -> None:
        """Watch `sock` instead of the previous socket.

        A duplicate is kept, since TLS detaches the original socket object.
        """
        with self._lock:
            self._let_go()
            self._socket = sock.dup()
        self.check()

    def wait(self, done: threading.Event) -> None:
        """Wait for `done`; raises like `check`."""
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
