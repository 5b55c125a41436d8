"""The list of models and the card of the selected one, read in the background."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from desktop.models.reader import ModelReader, with_downloads
from desktop.state.hub import Download
from desktop.state.model import ModelRow, ModelView
from desktop.work.task_runner import TaskRunner
from engine.engine import Engine

_CONVERSION_MS = 500
"""How often a card is read again while its model is being converted."""


class ModelViews(QObject):
    """Reads what the models dialog shows, while it is visible.

    Attributes:
        rows: The list as it was read last, with the downloads.
        selected: The name of the model whose card is shown; empty for none.
        is_visible: Whether the dialog is visible; nothing is read while it is not.

    Signals:
        listed(tuple[ModelRow, ...]): `rows` has changed.
        described(ModelView): What is known of the selected model.
        failed(EngineError): The files could not be read.
    """

    listed = pyqtSignal(object)
    described = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(
        self,
        engine: Engine,
        model_in_use: Callable[[], str],
        downloads: Callable[[], Sequence[Download]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._reader, self._model_in_use, self._downloads = ModelReader(engine), model_in_use, downloads
        self._tasks = TaskRunner("models-read", self)
        self._tasks.failed.connect(self.failed)
        self._read: tuple[ModelRow, ...] = ()
        self.rows: tuple[ModelRow, ...] = ()
        self.selected = ""
        self.is_visible = False
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_CONVERSION_MS)
        self._again.timeout.connect(self._read_selected)

    def read(self) -> None:
        """Read the list and the card again; the signals follow."""
        if self.is_visible:
            in_use = self._model_in_use()
            self._tasks.run(lambda task: self._reader.rows(in_use), self._on_rows)
            self._read_selected()

    def select(self, name: str) -> None:
        """Read the card of this model; `described` follows, now and after each `read`."""
        self.selected = name
        self._read_selected()

    def rename(self, name: str, new: str) -> None:
        """Follow a renamed model."""
        if self.selected == name:
            self.selected = new

    def forget(self, name: str) -> None:
        """Read a model's files again the next time."""
        self._reader.forget(name)

    def show_downloads(self) -> None:
        """Show the downloads as they are now."""
        rows = with_downloads(self._read, self._downloads())
        if rows != self.rows:
            self.rows = rows
            self.listed.emit(rows)

    def stop(self, seconds: float) -> bool:
        """Read nothing more, and return whether the thread ended in time."""
        return self._tasks.stop(seconds)

    def _read_selected(self) -> None:
        name = self.selected
        if name and self.is_visible:
            in_use, downloads = self._model_in_use(), self._downloads()
            self._tasks.run(lambda task: self._reader.view(name, in_use, downloads), self._on_view)

    def _on_rows(self, rows: tuple[ModelRow, ...]) -> None:
        self._read = rows
        self.show_downloads()

    def _on_view(self, view: ModelView | None) -> None:
        if view is not None and view.row.name == self.selected:
            self.described.emit(view)
            if view.conversion is not None:
                self._again.start()
