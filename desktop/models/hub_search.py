"""Searching models on the hub in the background."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.hub import HubRow
from desktop.style.i18n import current_language, error_text, tr
from desktop.work.task_runner import Task, TaskRunner
from engine.engine import Engine
from engine.errors import EngineError
from engine.models.catalog.entry import is_hub_id
from engine.models.hub.control import Control

if TYPE_CHECKING:
    from engine.models.hub.known import KnownModel
    from engine.models.hub.search import HubModel


class HubSearch(QObject):
    """Searches the hub; a new search cancels the one before.

    Signals:
        found(tuple[HubRow, ...]): The models that were found.
        failed(str): Why the search failed, in the window's language.
    """

    found = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._control = Control()
        self._tasks = TaskRunner("search", self, threads=None)
        self._tasks.failed.connect(self._on_failed)

    def search(self, text: str) -> None:
        """Search for models with this text in their names."""
        self.cancel()
        self._control = Control()
        self._tasks.run(partial(self._search, text, self._control), self.found.emit)

    def cancel(self) -> None:
        """Cancel the search; neither signal follows."""
        self._control.leave()
        self._tasks.cancel()

    def stop(self, seconds: float) -> bool:
        """Cancel, and return whether every thread ended in time."""
        self.cancel()
        return self._tasks.stop(seconds)

    def _search(self, text: str, control: Control, task: Task) -> tuple[HubRow, ...]:
        from engine.models.hub.endpoint import OFFICIAL, endpoint_of
        from engine.models.hub.search import search

        endpoint = endpoint_of(self._engine.settings.hub_endpoint)
        name = text.removeprefix(f"{endpoint.url}/").removeprefix(f"{OFFICIAL}/").rstrip("/")
        found = tuple(_found_row(model) for model in search(name, endpoint, control=control))
        return found if not is_hub_id(name) or any(row.id == name for row in found) else (HubRow(name), *found)

    def _on_failed(self, error: EngineError) -> None:
        self.failed.emit(error_text(error))


def known_rows() -> tuple[HubRow, ...]:
    """Return the well-known models, which are offered without a search."""
    from engine.models.hub.known import known_models

    is_chinese = current_language() == "zh_CN"
    return tuple(_known_row(model, is_chinese) for model in known_models())


def _known_row(model: KnownModel, is_chinese: bool) -> HubRow:
    about = model.about_zh if is_chinese else model.about
    return HubRow(model.id, model.family, model.ap, model.megabytes, None, model.licence, about)


def _found_row(model: HubModel) -> HubRow:
    if model.usable:
        about = tr("Its terms must be accepted on the hub first.") if model.gated else ""
    elif not model.safetensors:
        about = tr("Cannot be used here: it has no safetensors.")
    else:
        about = tr("Cannot be used here: its family is not one of those that are supported.")
    return HubRow(model.id, model.family, None, 0, model.downloads, model.licence, about, is_usable=model.usable)
