"""Collecting items from other threads and delivering them to the GUI thread in batches."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import QObject, QTimer, pyqtSignal, pyqtSlot

COLLECT_MS = 100


def _keep_all(items: list[Any]) -> None:
    """Remove nothing: the buffer is unbounded."""


class Feed(QObject):
    """Delivers the items of `put` every 100 ms, as one list.

    Signals:
        delivered(list): The items since the last delivery, oldest first.
    """

    delivered = pyqtSignal(object)
    _woken = pyqtSignal()

    def __init__(self, trim: Callable[[list[Any]], None] = _keep_all, parent: QObject | None = None) -> None:
        """Start empty; `trim` removes items from a full list, in place, in the thread of `put`."""
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
        """Add an item, from any thread."""
        with self._lock:
            is_first = not self._items
            self._items.append(item)
            self._trim(self._items)
        if is_first:
            with contextlib.suppress(RuntimeError):  # the window was deleted
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
