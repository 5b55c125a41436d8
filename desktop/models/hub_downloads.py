"""Downloading models from the hub in the background."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.hub import Download, Phase
from desktop.style.i18n import error_text
from desktop.work.task_runner import Task, TaskRunner
from engine.engine import Engine
from engine.errors import CancelledError, EngineError
from engine.models.hub.control import Control
from engine.models.hub.progress import Progress

if TYPE_CHECKING:
    from engine.models.hub.folders import ModelFolders
    from engine.models.hub.patience import Patience


class HubDownloads(QObject):
    """Hub downloads and their progress, oldest first; each has a thread of its own.

    Attributes:
        patience: Timeouts and retries; `None` for the usual ones.

    Signals:
        changed: `states` has changed.
        arrived(str): A model was downloaded and is in the catalog under this name.
    """

    changed = pyqtSignal()
    arrived = pyqtSignal(str)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.patience: Patience | None = None
        self._engine = engine
        self._states: dict[str, Download] = {}
        self._controls: dict[str, Control] = {}
        self._tasks = TaskRunner("download", self, threads=None)

    @property
    def states(self) -> tuple[Download, ...]:
        """The downloads, oldest first."""
        return tuple(self._states.values())

    def find_left(self) -> None:
        """Add the downloads that an earlier run of the program did not finish."""
        for left in _folders().unfinished():
            record = left.record
            if record.model not in self._states:
                progress = Progress("paused", left.done, record.total)
                revision = "" if record.revision == "main" else record.revision
                self._states[record.model] = Download(record.model, Phase.LEFT, revision, progress)
        self.changed.emit()

    def start(self, model: str) -> None:
        """Download a model, from where an earlier attempt ended; does nothing while it is being downloaded.

        The revision is that of the earlier attempt, or the one that the catalog asks for.
        """
        if model in self._controls:
            return
        control = Control()
        former = self._states.get(model)
        revision = (former.revision if former else "") or self._wanted_revision(model)
        progress = replace(former.progress, state="asking", rate=0.0) if former else Progress("asking")
        state = Download(model, Phase.RUNNING, revision, progress)
        self._states[model], self._controls[model] = state, control
        self._tasks.run(
            partial(self._download, state, control),
            lambda ended: self._on_ended(model, ended),
            failed=lambda error: self._on_ended(model, replace(state, phase=Phase.FAILED, problem=error_text(error))),
            reported=self._on_progress,
        )
        self.changed.emit()

    def pause(self, model: str) -> None:
        """Pause a download; its files stay."""
        if model in self._controls:
            self._controls[model].pause()

    def resume(self, model: str) -> None:
        """Resume a download, or start it again."""
        if model in self._controls:
            self._controls[model].resume()
        else:
            self.start(model)

    def cancel(self, model: str) -> None:
        """Cancel a download and delete its files; one that does not run is removed from the list."""
        control = self._controls.get(model)
        if control is not None:
            control.cancel()
            return
        state = self._states.pop(model, None)
        if state is not None and state.phase in (Phase.LEFT, Phase.FAILED):
            with contextlib.suppress(EngineError):  # another window is downloading it
                _folders().discard(model)
        self.changed.emit()

    def interrupt(self) -> None:
        """End all downloads; their files stay, to be resumed by the next run of the program."""
        for control in self._controls.values():
            control.leave()

    def stop(self, seconds: float) -> bool:
        """Interrupt, and return whether every thread ended in time."""
        self.interrupt()
        return self._tasks.stop(seconds)

    def _download(self, state: Download, control: Control, task: Task) -> Download | None:
        """Download a model and add it to the catalog; `None` where it was cancelled."""
        from engine.models.hub.download import download
        from engine.models.hub.endpoint import endpoint_of

        def report(progress: Progress) -> None:
            phase = Phase.PAUSED if progress.state == "paused" else Phase.RUNNING
            task.report(replace(state, phase=phase, progress=progress))

        try:
            endpoint = endpoint_of(self._engine.settings.hub_endpoint)
            download(state.model, endpoint, state.revision or "main", report, control, self.patience)
        except CancelledError:
            if not control.keeps:
                with contextlib.suppress(EngineError):
                    _folders().discard(state.model)
            return None
        name = self._engine.catalog.add(state.model, revision=state.revision)
        return replace(state, phase=Phase.DONE, name=name)

    def _wanted_revision(self, model: str) -> str:
        entries = (each for each in self._engine.catalog.entries if each.kind == "hub" and each.place == model)
        return next((entry.revision for entry in entries), "")

    def _on_progress(self, state: Download) -> None:
        self._states[state.model] = state
        self.changed.emit()

    def _on_ended(self, model: str, ended: Download | None) -> None:
        del self._controls[model]
        if ended is None:
            del self._states[model]
        else:
            self._states[model] = replace(ended, progress=replace(self._states[model].progress, rate=0.0))
        self.changed.emit()
        if ended is not None and ended.phase is Phase.DONE:
            self.arrived.emit(ended.name)


def _folders() -> ModelFolders:
    from engine.models.hub.folders import ModelFolders  # lazy, to start quickly

    return ModelFolders()
