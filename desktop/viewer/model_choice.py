"""What the user can do about the model and the tiles that images are detected with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QObject

from desktop.models.defaults import DefaultsInUse
from desktop.models.manager import ModelManager
from desktop.review.open_session import OpenSession
from desktop.state.holder import StateHolder
from desktop.state.viewer import ViewerState, choose_model, choose_tiling
from desktop.viewer.browsing import Browsing
from desktop.viewer.event_handler import EventHandler
from engine.detect.tiling import Tiling
from engine.engine import Engine


class ModelChoice(QObject):
    """Changes the model in use, applies its defaults, and follows changes of the catalog."""

    def __init__(
        self,
        engine: Engine,
        holder: StateHolder,
        session: OpenSession,
        browsing: Browsing,
        events: EventHandler,
        models: ModelManager,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine, self._holder, self._session = engine, holder, session
        self._browsing, self._events, self._models = browsing, events, models
        self._defaults = DefaultsInUse(engine.catalog)
        events.model_failed.connect(self._on_model_failed)
        models.wanted.connect(self.set_model)
        models.renamed.connect(self._on_renamed)
        models.editor.defaults_changed.connect(self._on_defaults_changed)
        models.names.given.connect(self._on_names_given)

    def set_model(self, model: str) -> None:
        """Use another model, for the shown image too; or try again one that could not be loaded."""
        if model != self._holder.state.model or self._engine.loaded(model) is None:
            self._use(self._defaults.choose(self._holder.state, model), model)
            self._models.names.ask(model, again=False)
            self._browsing.setup_changed()

    def set_tiling(self, tiling: Tiling | None) -> None:
        """Cut large images into other tiles, or into none; the shown image too."""
        if tiling != self._holder.state.tiling:
            self._holder.set(choose_tiling(self._holder.state, tiling))
            self._session.look_up_again()
            self._browsing.setup_changed()

    def use_folder(self, folder: Path) -> None:
        """Use a checkpoint folder as a model until the program ends."""
        name = self._engine.catalog.admit(folder)
        self._holder.set(choose_model(self._holder.state, self._holder.state.model, self._engine.catalog.names))
        self.set_model(name)

    def use_defaults(self) -> None:
        """Apply the defaults of the first model."""
        model = self._holder.state.model
        self._holder.set(self._defaults.choose(self._holder.state, model))
        self._models.names.ask(model, again=False)

    def with_wanted_classes(self, state: ViewerState) -> ViewerState:
        """Hide the classes that the model's defaults do not want, once its class names are known."""
        return self._defaults.answered(state) or state

    def _use(self, state: ViewerState, model: str) -> None:
        self._holder.set(choose_model(state, model, self._engine.catalog.names))
        self._session.look_up_again()

    def _on_model_failed(self) -> None:
        former = self._events.answering_model
        self._use(self._defaults.go_back(self._holder.state, former), former)

    def _on_renamed(self, model: str, new: str) -> None:
        self._events.rename_model(model, new)
        state, names = self._holder.state, self._engine.catalog.names
        if state.detections is not None and state.detections.model == model:
            state = replace(state, detections=replace(state.detections, model=new))
        self._holder.set(choose_model(state, new if state.model == model else state.model, names))

    def _on_defaults_changed(self, model: str) -> None:
        if model == self._holder.state.model:
            self._holder.set(self._defaults.choose(self._holder.state, model))

    def _on_names_given(self, model: str) -> None:
        if model == self._holder.state.model:
            self._session.look_up_again()  # what is known has the former names
            self._browsing.detect_shown(fresh=True)
