"""Conversions of models for this processor, started and cancelled from the window."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.work.task_runner import TaskRunner
from engine.engine import Engine
from engine.errors import EngineError


class ModelConversions(QObject):
    """Starts conversions in the helper process, which outlives the window.

    Signals:
        changed: A conversion has begun, advanced or ended.
    """

    changed = pyqtSignal()

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = TaskRunner("models-convert", self, threads=None)

    def start(self, name: str) -> None:
        """Convert a model, where the settings and its kind allow it; a failure is shown by its card."""
        self._tasks.run(
            lambda task: self._engine.convert(name, task.report),
            self._on_changed,
            failed=self._on_changed,
            reported=self._on_changed,
        )

    def cancel(self, name: str) -> None:
        """Cancel a model's conversion, whoever started it."""
        self._tasks.run(lambda task: self._engine.cancel_conversion(name), self._on_changed, failed=self._on_changed)

    def stop(self, seconds: float) -> bool:
        """Return whether every thread ended in time; closing the engine ends them."""
        return self._tasks.stop(seconds)

    def _on_changed(self, state: object | EngineError) -> None:
        self.changed.emit()
