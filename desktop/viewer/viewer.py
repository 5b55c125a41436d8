"""What the user can do: each action changes the state or asks the engine for something."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from desktop.batch.runner import BatchRunner
from desktop.export.exporting import Exporter, ExportWish, Images, Scope
from desktop.models.defaults import DefaultsInUse
from desktop.models.manager import ModelManager
from desktop.review.reviewing import Reviewing
from desktop.review.session_book import SessionBook
from desktop.review.session_door import SessionDoor
from desktop.review.session_reader import SessionReader
from desktop.review.session_view import SessionView
from desktop.settings.preferences import Preferences
from desktop.state.holder import StateHolder
from desktop.state.received import Received
from desktop.state.viewer import (
    Message,
    Offer,
    Stage,
    ViewerState,
    arrived,
    choose_model,
    choose_threshold,
    choose_tiling,
    choose_top_k,
    emptied,
    place_of,
    pointed,
    refine,
    select,
    told,
    waiting,
)
from desktop.style.i18n import tr
from desktop.viewer.arrivals import Arrivals
from desktop.viewer.detection_runner import (
    DetectionRunner,
    Given,
    Request,
)
from desktop.work.task_runner import Task, TaskRunner
from engine.answer import detection_answer, to_json
from engine.detect.tiling import Tiling
from engine.engine import Engine
from engine.errors import EngineError
from engine.image.source import Source
from engine.review.decision import Status
from engine.review.refine import Refinement
from engine.review.session import Session
from engine.settings import Settings


class Viewer(QObject):
    """What the user can do with images and models, and the one road to the engine.

    Attributes:
        reviewing: What the user can decide.
        batch: Detects in all images.
        exporter: Exports.
        models: Changes the catalog.
        leaving: The signal that another image, or none, is about to be shown.

    Signals:
        opening(tuple[Given, ...]): The user opens this.
        copied(bytes): A PNG for the clipboard is ready.
    """

    opening = pyqtSignal(object)
    copied = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._holder = StateHolder(ViewerState(model=engine.default_model, models=engine.catalog.names), self)
        self.changed = self._holder.changed
        self.tell, self.tell_error = self._holder.tell, self._holder.tell_error
        self._runner = DetectionRunner(engine, self)
        self._copies = TaskRunner("copy", self)
        self._copies.failed.connect(self.tell_error)
        self._settings = TaskRunner("settings", self)
        self._settings.failed.connect(self.tell_error)
        self.exporter = Exporter(engine, self)
        self.exporter.rested.connect(self._close_retired)
        self._reader = SessionReader(engine.fingerprint, engine.fingerprint_of, self)
        self._reader.failed.connect(self.tell_error)
        self._book = SessionBook(self._holder, self._reader, self)
        self._book.retired.connect(self._on_retired)
        self._retired: list[Session] = []
        self._arrivals = Arrivals(self._holder, self._book, self._runner, self)
        self._arrivals.model_failed.connect(self._on_model_failed)
        self.leaving = self._arrivals.leaving
        self.reviewing = Reviewing(self._holder, self._book, self)
        self.reviewing.place_wanted.connect(self.show_source)
        self.batch = BatchRunner(engine, self)
        self.batch.found.connect(self._book.found)
        self.batch.failed.connect(self._book.not_found)
        self.batch.broken.connect(self.tell_error)
        self._sessions = SessionDoor(self._reader, self)
        self._sessions.opened.connect(self._on_session)
        self._detects_on_opening = True
        self._defaults = DefaultsInUse(engine.catalog)
        self.changed.connect(self._choose_classes)
        self.models = ModelManager(engine, self._holder, self)
        self.models.wanted.connect(self.set_model)
        self.models.renamed.connect(self._on_model_renamed)
        self.models.defaults_changed.connect(self._on_defaults)
        self.models.names_given.connect(self._on_names)

    @property
    def engine(self) -> Engine:
        """The engine that detects."""
        return self._engine

    @property
    def runner(self) -> DetectionRunner:
        """Opens images and detects in them in its thread."""
        return self._runner

    @property
    def book(self) -> SessionBook:
        """The open session, and what is known of the images of the list."""
        return self._book

    @property
    def holder(self) -> StateHolder:
        """Holds the state."""
        return self._holder

    @property
    def state(self) -> ViewerState:
        """What is shown."""
        return self._holder.state

    @property
    def canvas_image(self) -> QImage | None:
        """The pixels of `state.image` as Qt draws them."""
        return self._arrivals.canvas_image

    def open(self, given: Sequence[Given]) -> None:
        """Open files, folders, URLs or pasted data, and show the first image or the one where the user was."""
        if given:
            self.opening.emit(tuple(given))
            self._runner.cancel()
            self._arrivals.forget_session()  # its file is free again before the next one is opened
            self._set(waiting(self.state, Stage.LISTING))
            self._sessions.ask_for(tuple(given), self._book.session)

    def go(self, step: int) -> None:
        """Show the image that is `step` places further in the list, if there is one."""
        at = (self.state.at if self.state.at is not None else -1) + step
        if 0 <= at < len(self.state.sources):
            self.show_source(at)

    def show(self, source: Source) -> None:
        """Show an image of the list."""
        at = place_of(source, self.state.sources)
        if at is not None:
            self.show_source(at)

    def show_source(self, at: int) -> None:
        """Show the image at a place in the list."""
        self.leaving.emit()
        self._sessions.forget()
        self._arrivals.forget_session()
        self._runner.cancel()
        self._set(pointed(self.state, at))
        source = self.state.sources[at]
        known = self._book.answer(at) if at >= len(self.state.sources) - self.state.received else None
        self._ask(Request(self.state.model, source=source, known=known, tiling=self.state.tiling))

    def detect_again(self) -> None:
        """Ask the model again about the image that is shown."""
        if self._is_opening:
            self.show_source(self.state.at or 0)
        elif self.state.image is not None:
            self._look_at_shown(fresh=True)

    @property
    def _is_opening(self) -> bool:
        """Whether another image of the list than the shown one was asked for, and is not there yet."""
        return self.state.is_elsewhere and self.state.stage is not None

    def warm_up(self) -> None:
        """Load the model and open the session of single images before they are needed."""
        if self.state.stage is None and self.state.image is None:
            self._ask(Request(self.state.model))
            self._sessions.ask_for((), self._book.session)

    def cancel(self) -> None:
        """Give up what is being waited for; the last good state stays."""
        self._sessions.forget()
        self._arrivals.forget_session()
        self._runner.cancel()
        image = self.state.image
        at = self.state.at if image is None else place_of(image.source, self.state.sources)
        self._set(waiting(pointed(self.state, at), None))

    def set_model(self, model: str) -> None:
        """Use another model, for the image that is shown too; or try again one that could not be loaded."""
        if model != self.state.model or self._engine.loaded(model) is None:
            self._take_model(self._defaults.choose(self.state, model), model)
            self.models.ask_names(model, again=False)
            self._look_again()

    def set_tiling(self, tiling: Tiling | None) -> None:
        """Cut large images into other tiles, or into none; the image that is shown too."""
        if tiling != self.state.tiling:
            self._set(choose_tiling(self.state, tiling))
            self._book.look_changed()
            self._look_again()

    def add_model(self, folder: Path) -> None:
        """Use a checkpoint folder as a model."""
        name = self._engine.catalog.admit(folder)
        self._set(choose_model(self.state, self.state.model, self._engine.catalog.names))
        self.set_model(name)

    def use_defaults(self) -> None:
        """What the model at the start has as its own threshold, top_k and classes."""
        self._set(self._defaults.choose(self.state, self.state.model))
        self.models.ask_names(self.state.model, again=False)

    def offer(self, text: str, offer: Offer) -> None:
        """Say something in the message bar that something can be done about."""
        self._set(told(self.state, Message(text, is_error=False, offer=offer)))

    def set_preferences(self, preferences: Preferences) -> None:
        """What the user prefers now."""
        self._detects_on_opening = preferences.detect_on_opening

    def apply(self, settings: Settings) -> None:
        """Use other settings of the engine; what runs is finished with the former ones."""
        self._settings.run(lambda task: self._engine.apply(settings))

    def set_threshold(self, threshold: float) -> None:
        """Show only scores greater than this, 0..1."""
        if threshold != self.state.chosen.threshold:
            self._set(self._book.remarked(choose_threshold(self.state, threshold)))

    def set_top_k(self, top_k: int | None) -> None:
        """Show at most this many; `None` shows all."""
        if top_k != self.state.chosen.top_k:
            self._set(self._book.remarked(choose_top_k(self.state, top_k)))

    def set_refinement(self, refinement: Refinement) -> None:
        """Choose by class, and suppress duplicates."""
        if refinement != self.state.refinement:
            self._set(self._book.remarked(refine(self.state, refinement)))

    def select(self, indices: frozenset[int]) -> None:
        """Select detections by their index."""
        if indices != self.state.selected:
            self._set(select(self.state, indices))

    def dismiss_message(self) -> None:
        """Close the message bar."""
        self._set(told(self.state, None))

    def receive(self, images: Sequence[Received]) -> None:
        """Put what clients of the API sent, and were answered, at the end of the list."""
        state = arrived(self.state, [each.source for each in images])
        self._book.received(images, state.inbox)
        self._set(self._book.remarked(state))

    def empty_inbox(self) -> None:
        """Take what clients sent out of the list."""
        state = emptied(self.state)
        self._book.received((), state.inbox)
        self._set(self._book.remarked(state))

    def export(self, wish: ExportWish, selected: Sequence[int]) -> None:
        """Write the shown image, the selected ones by place, or all, in a format; `exporter` tells of it."""
        state = self.state
        listed = self._book.candidates()
        here = next((at for at, each in enumerate(listed) if each.image is not None), None)
        wanted: Sequence[int] = () if here is None else (here,)
        if wish.scope is not Scope.IMAGE:
            wanted = selected if wish.scope is Scope.SELECTION else range(len(listed))
        self.exporter.start(wish, Images(listed, wanted), state, self._book.session)

    def copy_image(self) -> None:
        """Make the annotated image for the clipboard; `copied` brings it."""
        image, reviewed = self.state.image, self.state.reviewed
        if image is None or reviewed is None:
            self.tell(tr("There is nothing to copy yet: open an image first."))
            return
        drawn = reviewed.without(Status.REJECTED)

        def work(task: Task) -> bytes:
            from engine.render.render import draw_detections, encode_image

            return encode_image(draw_detections(image.pixels, drawn), "PNG")

        self._copies.run(work, self.copied.emit)

    def detect_all(self) -> None:
        """Detect in every image of the list, behind the window's back, but in those whose answer is held already."""
        asked = self._book.unanswered(self.state.look)
        if asked:
            self.batch.start(asked, self.state.model, self.state.tiling)
        elif self.state.sources:
            self.tell(tr("The model has answered for every image already."))

    def answer_json(self) -> str:
        """The API's answer for what is shown; empty where nothing is."""
        if self.state.detections is None:
            return ""
        return to_json(detection_answer(self.state.detections, self.state.chosen))

    def close(self, seconds: float) -> bool:
        """Stop every thread and unload the models; false where a model runs longer than that."""
        until = time.monotonic() + seconds
        self.models.leave()
        self.batch.stop(0.0)
        ended = self._runner.stop(seconds)
        ended &= self.batch.stop(max(until - time.monotonic(), 0.1))
        ended &= self.models.stop(max(until - time.monotonic(), 0.1))
        self.exporter.stop()
        self._copies.wait()
        ended &= self._settings.wait(max(until - time.monotonic(), 0.1))
        self._book.close()
        self._close_retired()
        self._reader.wait()
        unloading = threading.Thread(target=self._engine.close, name="unloading", daemon=True)
        unloading.start()
        unloading.join(max(until - time.monotonic(), 0.1))
        return ended and not unloading.is_alive()

    def _ask(self, request: Request, detect: bool | None = None) -> None:
        """Ask the engine; an image that is opened is detected in unless the user prefers to wait."""
        self._set(waiting(self.state, request.first_stage))
        self._runner.ask(replace(request, detect=self._detects_on_opening if detect is None else detect))

    def _look_again(self) -> None:
        """Ask about the image that is shown, or that is being opened, in the way that was just chosen."""
        if self._is_opening:
            self.show_source(self.state.at or 0)
        else:
            self._look_at_shown()

    def _look_at_shown(self, fresh: bool = False) -> None:
        state = self.state
        self._ask(Request(state.model, image=state.image, fresh=fresh, tiling=state.tiling), detect=True)

    def _on_session(self, given: tuple[Given, ...], session: Session | None, notice: EngineError | None) -> None:
        if not given:
            self._book.use(self._book.session or session)
            self._arrivals.expect(None, notice)
            return
        self._arrivals.expect(session, notice)
        view = {} if session is None else session.view()
        kept = SessionView.read(view)
        tiling = kept.applied_to(self.state).tiling if view else self.state.tiling
        self._ask(Request(self.state.model, given=given, start=kept.location, tiling=tiling))

    def _on_retired(self, session: Session) -> None:
        """A session is closed once no export reads it any more."""
        self._retired.append(session)
        if not self.exporter.is_busy:
            self._close_retired()

    def _close_retired(self) -> None:
        while self._retired:
            self._reader.close(self._retired.pop())

    @property
    def session_path(self) -> Path | None:
        """The file of the session that is open."""
        return None if self._book.session is None else self._book.session.path

    def _on_model_failed(self) -> None:
        former = self._arrivals.answering_model
        self._take_model(self._defaults.go_back(self.state, former), former)

    def _take_model(self, state: ViewerState, model: str) -> None:
        self._set(choose_model(state, model, self._engine.catalog.names))
        self._book.look_changed()

    def _on_model_renamed(self, model: str, new: str) -> None:
        self._arrivals.renamed(model, new)
        state, names = self.state, self._engine.catalog.names
        if state.detections is not None and state.detections.model == model:
            state = replace(state, detections=replace(state.detections, model=new))
        self._set(choose_model(state, new if state.model == model else state.model, names))

    def _on_defaults(self, model: str) -> None:
        if model == self.state.model:
            self._set(self._book.remarked(self._defaults.choose(self.state, model)))

    def _on_names(self, model: str) -> None:
        """What is known of images has the former names."""
        if model == self.state.model:
            self._book.look_changed()
            self._look_at_shown(fresh=True)

    def _choose_classes(self, state: ViewerState) -> None:
        chosen = self._defaults.answered(state)
        if chosen is not None:
            self._set(self._book.remarked(chosen))

    def _set(self, state: ViewerState) -> None:
        self._holder.set(state)
