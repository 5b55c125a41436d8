"""Running functions in other threads and delivering what they return in the GUI thread."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from PyQt5.QtCore import QObject, QThread, pyqtSignal, pyqtSlot

from engine.errors import CancelledError, EngineError

ResultT = TypeVar("ResultT")

_running: set[QThread] = set()
"""Threads that may not have ended: Qt aborts the program when a running QThread is destroyed."""


def running_threads() -> tuple[str, ...]:
    """Return the names of all threads of all runners that have not ended."""
    return tuple(thread.objectName() for thread in _running if not thread.isFinished())


def _ignore(value: object) -> None:
    """Do nothing with a value that nobody asked for."""


def report_bug(error: Exception) -> EngineError:
    """Call `sys.excepthook` with an error that is no EngineError, and return the error to show for it."""
    sys.excepthook(type(error), error, error.__traceback__)
    return EngineError("bug", "Something went wrong inside detrdesk; the log says what.")


class Task:
    """One call of a function.

    Attributes:
        number: Counts the tasks of a runner, from 1; a larger number is a newer task.
    """

    def __init__(self, number: int, runner: TaskRunner, reported: Callable[[Any], object]) -> None:
        self.number = number
        self._runner = runner
        self._reported = reported
        self._is_cancelled = False

    def cancel(self) -> None:
        """Deliver nothing more; the function is not called if it waits, and can ask `cancelled` if it runs."""
        self._is_cancelled = True

    def cancelled(self) -> bool:
        """Whether nobody waits for the task any more; from any thread."""
        return self._is_cancelled or self.number <= self._runner.newest_cancelled

    def report(self, value: object) -> None:
        """Deliver a value to the task's `reported` callback in the GUI thread; called in the task's thread."""
        self._runner.deliver(self, partial(self._reported, value))


class TaskRunner(QObject):
    """Runs tasks in QThreads, in the order in which they are given; used in the GUI thread.

    With one thread the tasks form a queue: one begins when the one before has ended. For requests of which only the
    newest counts, call `cancel` before `run`. A thread ends when no task waits, and the next task starts another one.
    An exception that is no `EngineError` is a bug: `sys.excepthook` is called with it, and the task fails.

    Attributes:
        newest_cancelled: The number up to which `cancel` has cancelled tasks.

    Signals:
        failed(EngineError): A task that has no `failed` callback of its own failed.
    """

    failed = pyqtSignal(object)
    _delivered = pyqtSignal(object, object)

    def __init__(
        self, name: str, parent: QObject | None = None, *, threads: int | None = 1, is_lowest_priority: bool = False
    ) -> None:
        """Start no thread yet.

        Args:
            name: The threads' name, for debuggers.
            parent: Qt's.
            threads: How many tasks run at the same time at most; `None` gives each task a thread at once.
            is_lowest_priority: Whether the threads yield to all others.
        """
        super().__init__(parent)
        self._name = name
        self._most = threads
        self._priority = QThread.Priority.LowestPriority if is_lowest_priority else QThread.Priority.InheritPriority
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Task, Callable[[Task], None]]] = deque()
        self._working = 0
        self._threads: list[QThread] = []
        self._newest = self.newest_cancelled = 0
        self._is_stopped = False
        self._delivered.connect(self._follow)

    def run(
        self,
        work: Callable[[Task], ResultT],
        done: Callable[[ResultT], object] = _ignore,
        *,
        failed: Callable[[EngineError], object] | None = None,
        reported: Callable[[Any], object] = _ignore,
    ) -> Task:
        """Call `work` in a thread, once the tasks before it leave one free.

        After `cancel` or `stop` no callback is called; a task that raises `CancelledError` calls none either.

        Args:
            work: Called with its task in the thread.
            done: Called with the result in the GUI thread.
            failed: Called with the error in the GUI thread, in place of the signal `failed`.
            reported: Called in the GUI thread with what `work` passes to `Task.report`.
        """
        self._newest += 1
        task = Task(self._newest, self, reported)
        if self._is_stopped:
            task.cancel()
            return task
        with self._lock:
            self._waiting.append((task, partial(self._call, work, done, failed or self.failed.emit)))
            is_thread_needed = self._most is None or self._working < self._most
            self._working += is_thread_needed
        if is_thread_needed:
            self._start_thread()
        return task

    def cancel(self) -> None:
        """Cancel every task, running or waiting."""
        self.newest_cancelled = self._newest
        with self._lock:
            self._waiting.clear()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until every task has ended; return whether they did within that time, `None` for any time."""
        until = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            if until is None:
                thread.wait()
            else:
                thread.wait(max(int((until - time.monotonic()) * 1000), 0))
        self._threads = [thread for thread in self._threads if not thread.isFinished()]
        return not self._threads

    def stop(self, seconds: float) -> bool:
        """Cancel every task, start no more, and return whether all threads ended within that time."""
        self._is_stopped = True
        self.cancel()
        return self.wait(seconds)

    def _start_thread(self) -> None:
        _running.difference_update([thread for thread in _running if thread.isFinished()])
        self._threads = [thread for thread in self._threads if not thread.isFinished()]
        thread = _Thread(self._work)
        thread.setObjectName(self._name)
        _running.add(thread)
        self._threads.append(thread)
        thread.start(self._priority)

    def _work(self) -> None:
        """Run waiting tasks in a thread until there are no more."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._working -= 1
                    return
                task, call = self._waiting.popleft()
            if not task.cancelled():
                call(task)
            del task, call  # what they hold is released before the next task comes

    def _call(
        self,
        work: Callable[[Task], ResultT],
        done: Callable[[ResultT], object],
        failed: Callable[[EngineError], object],
        task: Task,
    ) -> None:
        try:
            follow: Callable[[], object] = partial(done, work(task))
        except CancelledError:
            return
        except EngineError as error:
            follow = partial(failed, error)
        except Exception as error:
            follow = partial(failed, report_bug(error))
        self.deliver(task, follow)

    def deliver(self, task: Task, follow: Callable[[], object]) -> None:
        """Call a function in the GUI thread, unless the task is cancelled by then; from any thread."""
        with contextlib.suppress(RuntimeError):  # the runner was deleted with the window
            self._delivered.emit(task, follow)

    @pyqtSlot(object, object)
    def _follow(self, task: Task, follow: Callable[[], object]) -> None:
        if not task.cancelled():
            follow()


class _Thread(QThread):
    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    def run(self) -> None:
        self._work()
