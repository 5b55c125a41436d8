"""Models come from the hub beside the window: each download in a thread, paused, resumed and ended from here."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.hub import Download, Phase
from desktop.style.i18n import error_text
from engine.engine import Engine
from engine.errors import CancelledError, EngineError
from engine.models.hub.control import Control
from engine.models.hub.progress import Progress

if TYPE_CHECKING:
    from engine.models.hub.folders import ModelFolders
    from engine.models.hub.patience import Patience


class HubDownloads(QObject):
    """What comes, came, or did not; in the order in which it was asked for.

    Attributes:
        patience: How long the hub is waited for; `None` is as long as usual.

    Signals:
        changed: `states` is another one now.
        arrived(str): A model is here, under this name.
    """

    changed = pyqtSignal()
    arrived = pyqtSignal(str)
    _told = pyqtSignal(object, object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.patience: Patience | None = None
        self._engine = engine
        self._states: dict[str, Download] = {}
        self._controls: dict[str, Control] = {}
        self._threads: list[threading.Thread] = []
        self._told.connect(self._take)

    @property
    def states(self) -> tuple[Download, ...]:
        """The downloads, the oldest first."""
        return tuple(self._states.values())

    def find_left(self) -> None:
        """Offer what an earlier run did not finish."""
        for left in _folders().unfinished():
            record = left.record
            if record.model not in self._states:
                progress = Progress("paused", left.done, record.total)
                revision = "" if record.revision == "main" else record.revision
                self._states[record.model] = Download(record.model, Phase.LEFT, revision, progress)
        self.changed.emit()

    def start(self, model: str, revision: str = "") -> None:
        """Bring a model, from where an earlier try ended; one that comes already is left alone."""
        if model in self._controls:
            return
        control = Control()
        former = self._states.get(model)
        revision = revision or (former.revision if former else "")
        progress = replace(former.progress, state="asking", rate=0.0) if former else Progress("asking")
        state = Download(model, Phase.RUNNING, revision, progress)
        self._states[model], self._controls[model] = state, control
        thread = threading.Thread(target=self._bring, args=(state, control), name="download", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()
        self.changed.emit()

    def pause(self, model: str) -> None:
        """Let it rest; what came stays."""
        if model in self._controls:
            self._controls[model].pause()

    def resume(self, model: str) -> None:
        """Go on."""
        if model in self._controls:
            self._controls[model].resume()
        else:
            self.start(model)

    def cancel(self, model: str) -> None:
        """Give up and remove what came; of what does not run, take it off the list."""
        control = self._controls.get(model)
        if control is not None:
            control.cancel()
            return
        state = self._states.pop(model, None)
        if state is not None and state.phase in (Phase.LEFT, Phase.FAILED):
            with contextlib.suppress(EngineError):  # another window is downloading it
                _folders().discard(model)
        self.changed.emit()

    def leave(self) -> None:
        """The program ends: what came stays for the next time."""
        for control in self._controls.values():
            control.leave()

    def stop(self, seconds: float) -> bool:
        """Leave, and tell whether every thread ended in time."""
        self.leave()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _bring(self, state: Download, control: Control) -> None:
        """In the thread of the download."""
        try:
            self._tell(control, self._fetch(state, control))
        except CancelledError:
            if not control.keeps:
                with contextlib.suppress(EngineError):
                    _folders().discard(state.model)
            self._tell(control, None, state.model)
        except EngineError as error:
            self._tell(control, replace(state, phase=Phase.FAILED, problem=error_text(error)))
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            bug = EngineError("bug", "Something went wrong inside detrdesk; the log says what.")
            self._tell(control, replace(state, phase=Phase.FAILED, problem=error_text(bug)))

    def _fetch(self, state: Download, control: Control) -> Download:
        from engine.models.hub.download import download
        from engine.models.hub.endpoint import endpoint_of

        def tell(progress: Progress) -> None:
            phase = Phase.PAUSED if progress.state == "paused" else Phase.RUNNING
            self._tell(control, replace(state, phase=phase, progress=progress))

        endpoint = endpoint_of(self._engine.settings.hub_endpoint)
        download(state.model, endpoint, state.revision or "main", tell, control, self.patience)
        name = self._engine.catalog.add(state.model, revision=state.revision)
        return replace(state, phase=Phase.DONE, name=name)

    def _tell(self, control: Control, state: Download | None, model: str = "") -> None:
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._told.emit(control, state if state is not None else model)

    def _take(self, control: Control, told: Download | str) -> None:
        model = told if isinstance(told, str) else told.model
        if self._controls.get(model) is not control:
            return
        if isinstance(told, str):
            del self._controls[model]
            self._states.pop(model, None)
        else:
            former = self._states[model]
            if told.phase in (Phase.FAILED, Phase.DONE):
                del self._controls[model]
                told = replace(told, progress=replace(former.progress, rate=0.0))
            self._states[model] = told
        self.changed.emit()
        if isinstance(told, Download) and told.phase is Phase.DONE:
            self.arrived.emit(told.name)


def _folders() -> ModelFolders:
    from engine.models.hub.folders import ModelFolders  # which the first window need not wait for

    return ModelFolders()
