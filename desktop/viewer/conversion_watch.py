"""How far the conversion of the chosen model for this processor is."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QTimer

from desktop.state.holder import StateHolder
from desktop.state.viewer import ViewerState, converted
from desktop.work.task_runner import TaskRunner
from engine.engine import Engine

POLL_MS = 1000


class ConversionWatch(QObject):
    """Asks the engine when a request is done, and then repeatedly while a conversion is under way."""

    def __init__(self, engine: Engine, holder: StateHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine, self._holder = engine, holder
        self._tasks = TaskRunner("conversion", self)
        self._waited_for: object = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    def on_state_changed(self, state: ViewerState) -> None:
        """Ask when nothing is waited for any more; to be called after each change of the state."""
        former, self._waited_for = self._waited_for, state.stage
        if former is not None and state.stage is None:
            self._poll()

    def stop(self, seconds: float) -> bool:
        """Ask no more and return whether the thread ended in time."""
        self._timer.stop()
        return self._tasks.stop(seconds)

    def _poll(self) -> None:
        self._tasks.cancel()
        model = self._holder.state.model
        self._tasks.run(lambda _: self._percent(model), self._show, failed=lambda _: self._show(None))

    def _percent(self, model: str) -> int | None:
        conversion = self._engine.conversion(model)
        return (conversion.percent or 0) if conversion.is_under_way else None

    def _show(self, percent: int | None) -> None:
        if percent != self._holder.state.conversion:
            self._holder.set(converted(self._holder.state, percent))
        if percent is not None:
            self._timer.start()
