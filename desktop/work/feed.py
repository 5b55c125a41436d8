"""Brings what other threads tell to the window's thread, many at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import QObject, QTimer, pyqtSignal, pyqtSlot

COLLECT_MS = 100


def _keep_all(items: list[Any]) -> None:
    """Nothing is too much."""


class Feed(QObject):
    """Collects what is put in and delivers it a few times a second, however much it is.

    Signals:
        delivered(list): What was put in since the last time, oldest first.
    """

    delivered = pyqtSignal(object)
    _woken = pyqtSignal()

    def __init__(self, trim: Callable[[list[Any]], None] = _keep_all, parent: QObject | None = None) -> None:
        """Collect; `trim` takes out of the list what is too much to be kept."""
        super().__init__(parent)
        self._trim = trim
        self._items: list[Any] = []
        self._lock = threading.Lock()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(COLLECT_MS)
        self._timer.timeout.connect(self._deliver)
        self._woken.connect(self._wait_for_more)

    def put(self, item: object) -> None:
        """Hand something over, from any thread."""
        with self._lock:
            is_first = not self._items
            self._items.append(item)
            self._trim(self._items)
        if is_first:
            with contextlib.suppress(RuntimeError):  # the window is gone
                self._woken.emit()

    @pyqtSlot()
    def _wait_for_more(self) -> None:
        self._timer.start()

    @pyqtSlot()
    def _deliver(self) -> None:
        with self._lock:
            items, self._items = self._items, []
        if items:
            self.delivered.emit(items)
