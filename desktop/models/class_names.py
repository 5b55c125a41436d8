"""Asking the user for the class names of an ONNX file that has none."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.model import NamesWanted
from desktop.work.task_runner import Task, TaskRunner
from engine.engine import Engine
from engine.errors import EngineError
from engine.models.onnx.model import OnnxModel


class ClassNames(QObject):
    """Finds out whether class names are missing, and saves those that the user gives.

    Signals:
        wanted(NamesWanted): A model's class names are unknown.
        given(str): The class names of this model were saved.
        failed(EngineError): They could not be saved.
    """

    wanted = pyqtSignal(object)
    given = pyqtSignal(str)
    failed = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = TaskRunner("models-names", self)
        self._tasks.failed.connect(self.failed)
        self._asked: set[str] = set()

    def ask(self, name: str, again: bool = True) -> None:
        """Emit `wanted` if a model's class names are unknown.

        Args:
            name: The model.
            again: Whether to ask even where the user was asked before in this run.
        """
        entry = next((entry for entry in self._engine.catalog.entries if entry.name == name), None)
        if entry is None or entry.kind != "onnx" or (name in self._asked and not again):
            return
        self._asked.add(name)
        self._tasks.run(lambda task: self._find_unknown(name), self._on_found)

    def save(self, name: str, names: tuple[str, ...]) -> None:
        """Save the class names of an ONNX file; `given` follows."""

        def work(task: Task) -> None:
            self._engine.name_classes(names, name)

        self._tasks.run(work, lambda _: self.given.emit(name))

    def stop(self, seconds: float) -> bool:
        """Cancel, and return whether the thread ended in time."""
        return self._tasks.stop(seconds)

    def _find_unknown(self, name: str) -> NamesWanted | None:
        try:
            model = self._engine.recipe(name)
        except EngineError:
            return None  # the user is told when it is loaded
        is_unknown = isinstance(model, OnnxModel) and model.names_unknown
        return NamesWanted(name, self._engine.catalog.path(name), len(model.names)) if is_unknown else None

    def _on_found(self, found: NamesWanted | None) -> None:
        if found is not None:
            self.wanted.emit(found)
