"""Changing the catalog of models in the background."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.work.task_runner import Task, TaskRunner
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import Defaults
from engine.models.downloaded import remove_with_files
from engine.models.reading import read_model


class CatalogEditor(QObject):
    """Makes one change after the other; one of the signals follows each.

    Signals:
        added(str, bool): A model is in the catalog under this name; whether it is to be used at once.
        renamed(str, str): A model has another name: the former one, the new one.
        removed(str, str): A model was removed; where its files are, if they stay.
        defaults_changed(str): A model has another threshold, top_k or other classes.
        failed(EngineError): The change was refused.
    """

    added = pyqtSignal(str, bool)
    renamed = pyqtSignal(str, str)
    removed = pyqtSignal(str, str)
    defaults_changed = pyqtSignal(str)
    failed = pyqtSignal(object)

    def __init__(self, catalog: Catalog, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._catalog = catalog
        self._tasks = TaskRunner("models-change", self)
        self._tasks.failed.connect(self.failed)

    def add(self, path: Path, use: bool = False) -> None:
        """Add a checkpoint folder or ONNX file that can be read."""

        def work(task: Task) -> str:
            read_model(path)
            return self._catalog.add(path)

        self._tasks.run(work, lambda name: self.added.emit(name, use))

    def keep(self, name: str) -> None:
        """Add a model that was given for this run only."""
        self._tasks.run(
            lambda task: self._catalog.add(self._catalog.entry(name).path), lambda added: self.added.emit(added, False)
        )

    def rename(self, name: str, new: str) -> None:
        """Give a model another name."""
        if new != name:
            self._tasks.run(lambda task: self._catalog.rename(name, new), lambda now: self.renamed.emit(name, now))

    def remove(self, name: str, with_files: bool = False) -> None:
        """Remove a model from the catalog, and its files if they were downloaded and are to be deleted."""

        def work(task: Task) -> str:
            if with_files:
                remove_with_files(self._catalog, name)
                return ""
            entry = self._catalog.remove(name)
            return str(entry.path) if entry is not None and entry.path.exists() else ""

        self._tasks.run(work, lambda path: self.removed.emit(name, path))

    def set_defaults(self, name: str, defaults: Defaults) -> None:
        """Set the threshold, top_k and classes that a model begins with."""
        self._tasks.run(
            lambda task: self._catalog.set_defaults(name, defaults), lambda _: self.defaults_changed.emit(name)
        )

    def stop(self, seconds: float) -> bool:
        """Begin no other change, and return whether the thread ended in time."""
        return self._tasks.stop(seconds)
