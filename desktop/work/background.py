"""One-off work in a thread of Qt's pool, its result brought back to the window's thread."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PyQt5.QtCore import QObject, QRunnable, QThreadPool, pyqtSignal

from engine.errors import EngineError


class BackgroundWork(QObject):
    """Runs functions of one kind in the background, e.g. exports.

    Signals:
        finished(object): What the function returned.
        failed(EngineError): Why it could not.
    """

    finished = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    def run(self, function: Callable[[], object]) -> None:
        """Call `function` in the background; one of the signals follows."""
        self._pool.start(_Job(function, self))

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until everything that was started is finished, at most so long; true where it is."""
        return self._pool.waitForDone(-1 if seconds is None else int(seconds * 1000))


class _Job(QRunnable):
    def __init__(self, function: Callable[[], object], work: BackgroundWork) -> None:
        super().__init__()
        self._function = function
        self._work = work

    def run(self) -> None:
        try:
            self._work.finished.emit(self._function())
        except EngineError as error:
            self._work.failed.emit(error)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            self._work.failed.emit(EngineError("bug", "Something went wrong inside detrdesk; the log says what."))
