"""Looking for images away from the window's thread; what is found comes a piece at a time."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from PyQt5.QtCore import QObject, pyqtSignal, pyqtSlot

from engine.engine import Given
from engine.errors import CancelledError, EngineError, SourceError
from engine.image.source import Source, walk_sources

_FIRST_AFTER, _MORE_AFTER = 0.05, 0.1
"""Seconds between two deliveries: each costs the window a new list."""


@dataclass(frozen=True)
class Batch:
    """Some of the images.

    Attributes:
        sources: The next ones; none where nothing more was found.
        is_first, is_last: Whether something came before, and comes behind.
    """

    sources: tuple[Source, ...]
    is_first: bool
    is_last: bool


class Lister(QObject):
    """Lists what was given last; a folder on a dead disk holds nobody up.

    Signals:
        listed(Batch): More images.
        failed(EngineError): There is no list.
    """

    listed = pyqtSignal(object)
    failed = pyqtSignal(object)
    _told = pyqtSignal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._newest = 0
        self._threads: list[threading.Thread] = []
        self._told.connect(self._pass_on)

    def start(self, given: Sequence[Given]) -> None:
        """List this; what is still being listed is given up."""
        self._newest += 1
        thread = threading.Thread(target=self._list, args=(self._newest, given), name="listing", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def cancel(self) -> None:
        """Give up; nothing more is reported."""
        self._newest += 1

    def stop(self, seconds: float) -> bool:
        """Cancel, and tell whether every thread ended in time."""
        self.cancel()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _list(self, number: int, given: Sequence[Given]) -> None:
        try:
            self._deliver(number, given)
        except CancelledError:
            pass
        except EngineError as error:
            self._tell(number, error)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            self._tell(number, EngineError("bug", "Something went wrong inside detrdesk; the log says what."))

    def _deliver(self, number: int, given: Sequence[Given]) -> None:
        """The images of a folder are delivered as they come; single ones together, for there may be but one."""
        waiting: list[Source] = []
        is_first, since = True, time.monotonic()
        for batch in walk_sources(given, lambda: number != self._newest):
            waiting += batch
            waited = time.monotonic() - since
            is_enough = len(waiting) > 1 and (len(batch) > 1 or waited > _FIRST_AFTER)
            if is_enough if is_first else waited > _MORE_AFTER:
                self._tell(number, Batch(tuple(waiting), is_first, is_last=False))
                waiting, is_first, since = [], False, time.monotonic()
        if is_first and not waiting:
            raise SourceError("no_images", "There are no images in this folder.")
        self._tell(number, Batch(tuple(waiting), is_first, is_last=True))

    def _tell(self, number: int, result: Batch | EngineError) -> None:
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._told.emit(number, result)

    @pyqtSlot(int, object)
    def _pass_on(self, number: int, result: Batch | EngineError) -> None:
        if number != self._newest:
            return
        if isinstance(result, Batch):
            self.listed.emit(result)
        else:
            self.failed.emit(result)
