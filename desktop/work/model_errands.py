"""Work on models beside the window: one thing after the other, in a thread that nobody has to wait for."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from PyQt5.QtCore import QObject, pyqtSignal

from engine.errors import CancelledError, EngineError

ResultT = TypeVar("ResultT")
Job = Callable[[], None]


class Errands(QObject):
    """Calls functions in the order in which they come; what follows from their results happens in the window's thread.

    A folder on a dead disk may hold up the thread for minutes: the program ends without it.

    Signals:
        failed(EngineError): Why a function could not do its work.
    """

    failed = pyqtSignal(object)
    _over = pyqtSignal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_stopped = False
        self._over.connect(self._follow)

    def run(self, work: Callable[[], ResultT], then: Callable[[ResultT], object] = lambda result: None) -> None:
        """Call `work` in the thread, and `then` with its result in the window's."""
        if self._is_stopped:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._jobs.put(lambda: self._do(work, then))

    def stop(self, seconds: float) -> bool:
        """Begin nothing more; whether what runs ended in time."""
        self._is_stopped = True
        if self._thread is None:
            return True
        self._jobs.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self._is_stopped:
                job()

    def _do(self, work: Callable[[], ResultT], then: Callable[[ResultT], object]) -> None:
        follow: Callable[[], object]
        try:
            follow = partial(then, work())
        except CancelledError:
            return
        except EngineError as error:
            follow = partial(self.failed.emit, error)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            bug = EngineError("bug", "Something went wrong inside detrdesk; the log says what.")
            follow = partial(self.failed.emit, bug)
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._over.emit(follow)

    def _follow(self, follow: Callable[[], object]) -> None:
        if not self._is_stopped:
            follow()
