"""Pausing, resuming and cancelling a download from another thread."""

from __future__ import annotations

import threading
import time

from engine.errors import CancelledError


class PausedError(Exception):
    """The work is paused; the handler waits with `Control.rest`."""


class Control:
    """Pauses, resumes and cancels work in another thread; thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = self._ended = False
        self._keeps = True

    @property
    def paused(self) -> bool:
        """Whether the work is paused, or about to be."""
        return self._paused

    @property
    def ended(self) -> bool:
        """Whether the work is cancelled."""
        return self._ended

    @property
    def keeps(self) -> bool:
        """Whether downloaded bytes are kept after cancelling."""
        return self._keeps

    def pause(self) -> None:
        """Pause the work; its connection is closed, downloaded bytes are kept."""
        self._set(paused=True)

    def resume(self) -> None:
        """Resume the work."""
        self._set(paused=False)

    def cancel(self) -> None:
        """Cancel, and remove the downloaded bytes."""
        self._keeps = False
        self._set(ended=True)

    def leave(self) -> None:
        """Cancel, and keep the downloaded bytes for the next download; used when the program closes."""
        self._set(ended=True)

    def check(self) -> None:
        """Raise if the work is cancelled.

        Raises:
            CancelledError: `cancel` or `leave` was called.
        """
        if self._ended:
            raise CancelledError

    def check_running(self) -> None:
        """Raise if the work is cancelled or paused.

        Raises:
            CancelledError: `cancel` or `leave` was called.
            PausedError: `pause` was called.
        """
        self.check()
        if self._paused:
            raise PausedError

    def rest(self) -> None:
        """Wait until the pause is over.

        Raises:
            CancelledError: `cancel` or `leave` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or not self._paused)
        self.check()

    def wait(self, seconds: float) -> None:
        """Wait for a number of seconds.

        Raises:
            CancelledError, PausedError: as soon as one was called.
        """
        until = time.monotonic() + seconds
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._paused, max(until - time.monotonic(), 0))
        self.check_running()

    def _set(self, paused: bool | None = None, ended: bool | None = None) -> None:
        with self._changed:
            self._paused = self._paused if paused is None else paused
            self._ended = self._ended if ended is None else ended
            self._changed.notify_all()
