"""Looking for models on the hub beside the window; the newest search wins."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.hub import HubRow
from desktop.style.i18n import current_language, error_text, tr
from engine.engine import Engine
from engine.errors import CancelledError, EngineError
from engine.models.catalog.entry import is_hub_id
from engine.models.hub.control import Control

if TYPE_CHECKING:
    from engine.models.hub.known import KnownModel
    from engine.models.hub.search import HubModel


class HubSearch(QObject):
    """Asks the hub.

    Signals:
        found(tuple[HubRow, ...]): What the newest search found.
        failed(str): Why it found nothing, in the window's language.
    """

    found = pyqtSignal(object)
    failed = pyqtSignal(str)
    _told = pyqtSignal(object, object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._control = Control()
        self._threads: list[threading.Thread] = []
        self._told.connect(self._take)

    def ask(self, text: str) -> None:
        """Look for models with this in their names."""
        self._control.leave()
        self._control = Control()
        thread = threading.Thread(target=self._search, args=(text, self._control), name="search", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def leave(self) -> None:
        """Nobody waits for it any more."""
        self._control.leave()
        self._control = Control()

    def stop(self, seconds: float) -> bool:
        """Leave, and tell whether every thread ended in time."""
        self.leave()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _search(self, text: str, control: Control) -> None:
        """In the thread of the search."""
        from engine.models.hub.endpoint import OFFICIAL, endpoint_of
        from engine.models.hub.search import search

        told: EngineError | tuple[HubRow, ...]
        try:
            endpoint = endpoint_of(self._engine.settings.hub_endpoint)
            name = text.removeprefix(f"{endpoint.url}/").removeprefix(f"{OFFICIAL}/").rstrip("/")
            found = tuple(_found_row(model) for model in search(name, endpoint, control=control))
            told = found if not is_hub_id(name) or any(row.id == name for row in found) else (HubRow(name), *found)
        except CancelledError:
            return
        except EngineError as error:
            told = error
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            told = EngineError("bug", "Something went wrong inside detrdesk; the log says what.")
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._told.emit(control, told)

    def _take(self, control: Control, told: EngineError | tuple[HubRow, ...]) -> None:
        if control is not self._control:
            return
        if isinstance(told, EngineError):
            self.failed.emit(error_text(told))
        else:
            self.found.emit(told)


def known_rows() -> tuple[HubRow, ...]:
    """The well-known models, which are offered without asking the hub."""
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
