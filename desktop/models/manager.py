"""The user's models: listed, described, added, renamed, removed; `models.toml` is watched."""

from __future__ import annotations

import time
from pathlib import Path

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QGuiApplication

from desktop.models.hub_downloads import HubDownloads
from desktop.models.hub_search import HubSearch
from desktop.models.precisions import ModelPrecisions
from desktop.models.shelf import ModelShelf, with_downloads
from desktop.state.holder import StateHolder
from desktop.state.model import STARTER, ModelRow, ModelView, NamesWanted
from desktop.state.viewer import choose_model
from desktop.style.i18n import tr
from desktop.work.task_runner import Task, TaskRunner
from engine.engine import Engine
from engine.errors import EngineError
from engine.models.catalog.entry import Defaults
from engine.models.downloaded import remove_with_files
from engine.models.onnx.model import OnnxModel
from engine.models.reading import read_model

LOOK_EVERY_MS = 2000


class ModelManager(QObject):
    """Changes the catalog, and tells when it was changed by somebody else; files are read beside the window.

    Attributes:
        downloads: What comes from the hub.
        search: Looks for models there.
        precisions: The faster precisions of the model that was asked for.

    Signals:
        listed(tuple[ModelRow, ...]): The list is another one now.
        described(ModelView): What is known of the model that was asked for.
        failed(EngineError): Something could not be done.
        wanted(str): This model shall be used.
        added(str): There is a new model.
        renamed(str, str): A model has another name.
        defaults_changed(str): A model's detections are chosen in another way.
        names_wanted(NamesWanted): The chosen model's class names are to be asked for.
        names_given(str): They were given.
    """

    listed = pyqtSignal(object)
    described = pyqtSignal(object)
    failed = pyqtSignal(object)
    wanted = pyqtSignal(str)
    added = pyqtSignal(str)
    renamed = pyqtSignal(str, str)
    defaults_changed = pyqtSignal(str)
    names_wanted = pyqtSignal(object)
    names_given = pyqtSignal(str)

    def __init__(self, engine: Engine, holder: StateHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine, self._catalog, self._holder = engine, engine.catalog, holder
        self._shelf = ModelShelf(engine)
        self._changes, self._reading = TaskRunner("models-change", self), TaskRunner("models-read", self)
        self._changes.failed.connect(self.failed)
        self._reading.failed.connect(self.failed)
        self.downloads, self.search = HubDownloads(engine, self), HubSearch(engine, self)
        self.downloads.arrived.connect(self._on_added)
        self.downloads.changed.connect(self._tell_rows)
        self.precisions = ModelPrecisions(engine, holder, self)
        self.precisions.failed.connect(self.failed)
        self.precisions.chosen.connect(self._on_precision)
        self._is_watched = False
        self._read: tuple[ModelRow, ...] = ()
        self._rows: tuple[ModelRow, ...] = ()
        self._shown = ""
        self._asked_names: set[str] = set()
        self._edition = -1
        self._told: EngineError | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._on_timer)
        self._timer.start()

    @property
    def rows(self) -> tuple[ModelRow, ...]:
        """The list as it was told last."""
        return self._rows

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks at the list: it is kept up to date then, and only then something is measured."""
        return self._is_watched

    @is_watched.setter
    def is_watched(self, is_watched: bool) -> None:
        self._is_watched = is_watched
        if not is_watched:
            self.precisions.cancel()

    def look(self) -> None:
        """Notice what somebody else changed in `models.toml`; a file that cannot be used changes nothing."""
        edition = self._catalog.refresh()
        if edition != self._edition:
            self._edition = edition
            self._on_catalog()

    def list(self) -> None:
        """Read what there is, if somebody looks at it; `listed` tells."""
        if self.is_watched:
            in_use = self._holder.state.model
            self._reading.run(lambda task: self._shelf.rows(in_use), self._on_read)
            self._describe()

    def describe(self, name: str) -> None:
        """Read what is known of a model; `described` tells, until another one is asked for."""
        self._shown = name
        self._describe()

    def choose(self, name: str) -> None:
        """Use a model."""
        self.wanted.emit(name)

    def add(self, path: Path, use: bool = False) -> None:
        """Keep a checkpoint folder or ONNX file in the catalog, unless it cannot be used."""

        def work(task: Task) -> str:
            read_model(path)
            return self._catalog.add(path)

        self._changes.run(work, self._on_used if use else self._on_added)

    def download(self, hub_id: str) -> None:
        """Bring a model from the hub, at the revision that the catalog asks for."""
        known = (entry for entry in self._catalog.entries if entry.kind == "hub" and entry.place == hub_id)
        self.downloads.start(hub_id, next((entry.revision for entry in known), ""))

    def keep(self, name: str) -> None:
        """Have a model of this run at the next start too."""
        self._changes.run(lambda task: self._catalog.add(self._catalog.entry(name).path), self._on_added)

    def rename(self, name: str, new: str) -> None:
        """Call a model by another name."""
        if new != name:
            self._changes.run(lambda task: self._catalog.rename(name, new), lambda now: self._on_renamed(name, now))

    def remove(self, name: str, with_files: bool = False) -> None:
        """Forget a model; its files stay, unless they were downloaded and shall go too."""
        if with_files:
            self._changes.run(lambda task: remove_with_files(self._catalog, name), lambda _: self._on_removed(name, ""))
            return

        def work(task: Task) -> str:
            entry = self._catalog.remove(name)
            return str(entry.path) if entry is not None and entry.path.exists() else ""

        self._changes.run(work, lambda place: self._on_removed(name, place))

    def set_defaults(self, name: str, defaults: Defaults) -> None:
        """Choose a model's detections in another way from now on."""

        def then(_: None) -> None:
            self.look()
            self.defaults_changed.emit(name)
            self.list()

        self._changes.run(lambda task: self._catalog.set_defaults(name, defaults), then)

    def ask_names(self, name: str, again: bool = True) -> None:
        """Have the user asked what a model's classes are called, if nothing tells.

        Args:
            name: The model.
            again: Whether to ask even where the user was asked before in this run.
        """
        known = next((entry for entry in self._catalog.entries if entry.name == name), None)
        if known is None or known.kind != "onnx" or (name in self._asked_names and not again):
            return
        self._asked_names.add(name)

        def work(task: Task) -> NamesWanted | None:
            try:
                model = self._engine.recipe(name)
            except EngineError:
                return None  # whatever is wrong with it is told when it is loaded
            is_unknown = isinstance(model, OnnxModel) and model.names_unknown
            return NamesWanted(name, self._catalog.path(name), len(model.names)) if is_unknown else None

        self._reading.run(work, self._on_nameless)

    def name_classes(self, name: str, names: tuple[str, ...]) -> None:
        """Keep the class names of an ONNX file."""

        def then(_: None) -> None:
            self._shelf.forget(name)
            self.names_given.emit(name)
            self.list()

        self._changes.run(lambda task: self._engine.name_classes(names, name), then)

    def leave(self) -> None:
        """The program ends: downloads stop where they are."""
        self._timer.stop()
        self.downloads.interrupt()
        self.search.cancel()
        self.precisions.cancel()

    def stop(self, seconds: float) -> bool:
        """Begin nothing more; whether every thread ended in time."""
        self.leave()
        until = time.monotonic() + seconds
        helpers = self.downloads, self.search, self.precisions, self._changes, self._reading
        ended = [each.stop(max(until - time.monotonic(), 0.1)) for each in helpers]
        return all(ended)

    def _on_timer(self) -> None:
        if QGuiApplication.applicationState() == Qt.ApplicationState.ApplicationActive:
            self.look()
            self.list()

    def _on_catalog(self) -> None:
        self._show_names()
        self.list()
        problem = self._catalog.problem or next(iter(self._catalog.notes), None)
        if problem is not None and (self._told is None or problem.message != self._told.message):
            self._holder.tell_error(problem)
        elif problem is None and self._told is not None:
            self._holder.tell(tr("models.toml can be used again."))
        self._told = problem

    def _show_names(self) -> None:
        """Tell the window the names; one that is gone is no longer in use."""
        state, names = self._holder.state, self._catalog.names
        if names != state.models:
            self._holder.set(choose_model(state, state.model, names))
        if state.model not in names and state.model in state.models:
            self._holder.tell(tr("There is no model {model} any more; the starter is used.", model=state.model))
            self.wanted.emit(STARTER)

    def _on_added(self, name: str) -> None:
        self.look()
        self.added.emit(name)
        self.list()

    def _on_used(self, name: str) -> None:
        self._on_added(name)
        self.wanted.emit(name)

    def _on_renamed(self, name: str, new: str) -> None:
        self._shown = new if self._shown == name else self._shown
        self.renamed.emit(name, new)
        self.look()

    def _on_removed(self, name: str, place: str) -> None:
        if self._holder.state.model == name:
            self.wanted.emit(STARTER)
        self.look()
        if place:
            self._holder.tell(tr("{model} is out of the list; its files stay in {place}.", model=name, place=place))
        else:
            self._holder.tell(tr("{model} is out of the list.", model=name))

    def _on_precision(self) -> None:
        self.look()
        self.list()

    def _on_nameless(self, found: NamesWanted | None) -> None:
        if found is not None:
            self.names_wanted.emit(found)

    def _describe(self) -> None:
        name = self._shown
        if name and self.is_watched:
            in_use, downloads = self._holder.state.model, self.downloads.states
            self._reading.run(lambda task: self._shelf.view(name, in_use, downloads), self._on_view)
            self.precisions.read(name)

    def _on_read(self, rows: tuple[ModelRow, ...]) -> None:
        self._read = rows
        self._tell_rows()

    def _tell_rows(self) -> None:
        rows = with_downloads(self._read, self.downloads.states)
        if rows != self._rows:
            self._rows = rows
            self.listed.emit(rows)

    def _on_view(self, view: ModelView | None) -> None:
        if view is not None and view.row.name == self._shown:
            self.described.emit(view)
