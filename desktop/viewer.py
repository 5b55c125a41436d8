"""What the user can do: each action changes the state or asks the engine for something."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from desktop.background import BackgroundWork
from desktop.batch_runner import BatchRunner
from desktop.detection_runner import (
    DetectionRunner,
    Done,
    Event,
    Failed,
    Given,
    Listed,
    ListedMore,
    Opened,
    Recalled,
    Request,
)
from desktop.exporting import Exporter, ExportWish, Images, Scope
from desktop.i18n import error_text, tr
from desktop.received import Received
from desktop.reviewing import Reviewing
from desktop.session_book import SessionBook
from desktop.session_door import SessionDoor
from desktop.session_reader import SessionReader
from desktop.session_view import SessionView
from desktop.state_holder import StateHolder
from desktop.viewer_state import (
    Stage,
    ViewerState,
    arrived,
    choose_model,
    choose_threshold,
    choose_top_k,
    detected,
    emptied,
    listed,
    listed_more,
    not_opened,
    opened,
    place_of,
    pointed,
    recalled,
    refine,
    select,
    told,
    waiting,
)
from engine.answer import detection_answer, to_json
from engine.detect.detection import Detections
from engine.engine import Engine
from engine.errors import EngineError, ImageError, ModelError, SourceError
from engine.image.source import Source
from engine.render import draw_detections, encode_image
from engine.review.decision import Status
from engine.review.refine import Refinement
from engine.review.session import Session


class Viewer(QObject):
    """What the user can do with images and models, and the one road to the engine.

    Attributes:
        reviewing: What the user can decide.
        batch: Detects in all images.
        exporter: Exports.
        canvas_image: The pixels of `state.image` as Qt draws them.

    Signals:
        opening(tuple[Given, ...]): The user opens this.
        leaving: Another image, or none, is about to be shown: what is being edited in this one is to be told now.
        copied(bytes): A PNG for the clipboard is ready.
    """

    opening = pyqtSignal(object)
    leaving = pyqtSignal()
    copied = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._holder = StateHolder(ViewerState(model=engine.default_model, models=engine.catalog.names), self)
        self.changed = self._holder.changed
        self.tell, self.tell_error = self._holder.tell, self._holder.tell_error
        self.canvas_image: QImage | None = None
        self._answering_model = self.state.model
        self._known: dict[str, Detections] = {}
        self._runner = DetectionRunner(engine, self)
        self._runner.happened.connect(self._on_event)
        self._copies = BackgroundWork(self)
        self._copies.finished.connect(self.copied)
        self._copies.failed.connect(self.tell_error)
        self.exporter = Exporter(engine, self)
        self._reader = SessionReader(engine.fingerprint, self)
        self._reader.failed.connect(self.tell_error)
        self._book = SessionBook(self._holder, self._reader, self)
        self.reviewing = Reviewing(self._holder, self._book, self)
        self.reviewing.place_wanted.connect(self.show_source)
        self.batch = BatchRunner(engine, self)
        self.batch.found.connect(self._book.found)
        self.batch.failed.connect(self._book.not_found)
        self.batch.broken.connect(self.tell_error)
        self._sessions = SessionDoor(self._reader, self)
        self._sessions.opened.connect(self._on_session)
        self._coming: Session | None = None
        self._notice: EngineError | None = None

    @property
    def state(self) -> ViewerState:
        """What is shown."""
        return self._holder.state

    def open(self, given: Sequence[Given]) -> None:
        """Open files, folders, URLs or pasted data, and show the first image or the one where the user was."""
        if given:
            self.opening.emit(tuple(given))
            self._runner.cancel()
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
        self._set(pointed(self.state, at))
        source = self.state.sources[at]
        known = self._known.get(source.location) if at >= len(self.state.sources) - self.state.received else None
        self._ask(Request(self.state.model, source=source, known=known))

    def detect_again(self) -> None:
        """Ask the model again about the image that is shown."""
        if self.state.image is not None:
            self._ask(Request(self.state.model, image=self.state.image, fresh=True))

    def warm_up(self) -> None:
        """Load the model and open the session of single images before they are needed."""
        if self.state.stage is None and self.state.image is None:
            self._ask(Request(self.state.model))
            self._sessions.ask_for((), self._book.session)

    def cancel(self) -> None:
        """Give up what is being waited for; the last good state stays."""
        self._sessions.forget()
        self._runner.cancel()
        self._set(waiting(self.state, None))

    def set_model(self, model: str) -> None:
        """Use another model, for the image that is shown too."""
        if model != self.state.model:
            self._choose_model(model)
            self._ask(Request(model, image=self.state.image))

    def add_model(self, folder: Path) -> None:
        """Use a checkpoint folder as a model."""
        name = self._engine.catalog.add(folder)
        self._set(choose_model(self.state, self.state.model, self._engine.catalog.names))
        self.set_model(name)

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
        self._known.update({each.source.location: each.found for each in images})
        self._set(self._book.remarked(arrived(self.state, [each.source for each in images])))
        self._forget_all_but_inbox()

    def empty_inbox(self) -> None:
        """Take what clients sent out of the list."""
        self._set(self._book.remarked(emptied(self.state)))
        self._forget_all_but_inbox()

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
        self._copies.run(lambda: encode_image(draw_detections(image.pixels, drawn), "PNG"))

    def detect_all(self) -> None:
        """Detect in every image of the list, behind the window's back."""
        if self.state.sources:
            self.batch.start(self.state.sources, self.state.model)

    def answer_json(self) -> str:
        """The API's answer for what is shown; empty where nothing is."""
        if self.state.detections is None:
            return ""
        return to_json(detection_answer(self.state.detections, self.state.chosen))

    def close(self, seconds: float) -> bool:
        """Stop every thread and unload the models; false where a model runs longer than that."""
        until = time.monotonic() + seconds
        self.batch.stop(0.0)
        ended = self._runner.stop(seconds)
        ended &= self.batch.stop(max(until - time.monotonic(), 0.1))
        self.exporter.stop()
        self._copies.wait()
        self._book.close()
        unloading = threading.Thread(target=self._engine.close, name="unloading", daemon=True)
        unloading.start()
        unloading.join(max(until - time.monotonic(), 0.1))
        return ended and not unloading.is_alive()

    def _forget_all_but_inbox(self) -> None:
        kept = {source.location for source in self.state.inbox}
        self._known = {location: found for location, found in self._known.items() if location in kept}

    def _ask(self, request: Request) -> None:
        self._set(waiting(self.state, request.first_stage))
        self._runner.ask(request)

    def _on_session(self, given: tuple[Given, ...], session: Session | None, notice: EngineError | None) -> None:
        self._notice = notice or self._notice
        if not given:
            self._book.use(self._book.session or session)
            return
        self._coming = session
        start = "" if session is None else SessionView.read(session.view()).location
        self._ask(Request(self.state.model, given=given, start=start))

    def _on_event(self, event: Event) -> None:
        match event:
            case Stage():
                self._set(waiting(self.state, event))
            case Listed():
                self._book.use(self._coming)
                self._set(listed(self.state, event.sources))
                self._book.listed(event.sources)
                self._set(self._book.remarked(self.state))
            case ListedMore():
                self._set(listed_more(self.state, event.sources))
                self._book.listed_more(event.sources)
                self._set(self._book.remarked(self.state))
            case Opened():
                self._on_opened(event)
            case Recalled():
                self._set(recalled(self.state, event.detections))
                self._on_detected(event.detections)
            case Detections():
                self._set(detected(self.state, event))
                self._on_detected(event)
            case Failed():
                self._on_failed(event.error)
            case Done():
                self._set(waiting(self.state, None))
                self._tell_notice()
                self._expect_neighbours()

    def _on_opened(self, event: Opened) -> None:
        self.leaving.emit()
        self.canvas_image = event.canvas_image
        at = place_of(event.image.source, self.state.sources)
        state = replace(opened(self.state, event.image, at), decided=self._book.opened(event.image, at))
        self._set(self._book.remarked(state))

    def _expect_neighbours(self) -> None:
        at, sources = self.state.at, self.state.sources
        if at is not None:
            self._runner.expect(sources[at + 1 : at + 3] + sources[max(at - 1, 0) : at], self.state.model)

    def _on_detected(self, found: Detections) -> None:
        image = self.state.image
        if found.model == self.state.model:
            self._answering_model = found.model
        if image is not None:
            self._book.detected(image, found)
            self._set(self._book.remarked(self.state))

    def _on_failed(self, error: EngineError) -> None:
        state = waiting(self.state, None)
        if isinstance(error, ImageError | SourceError) and self._is_elsewhere:
            self._book.failed(state.at, error)
            self._set(self._book.remarked(not_opened(state, error_text(error))))
        else:
            self._set(state)
            self.tell_error(error)
        self._expect_neighbours()
        if isinstance(error, ModelError) and self.state.model != self._answering_model:
            self._choose_model(self._answering_model)

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the place of the list that was asked for is not that of the shown image."""
        at, image = self.state.at, self.state.image
        return at is not None and (image is None or self.state.sources[at] is not image.source)

    def _choose_model(self, model: str) -> None:
        self._set(choose_model(self.state, model, self._engine.catalog.names))
        self._book.model_changed()

    def _tell_notice(self) -> None:
        """What there is to tell about a session waits until the image is there: opening one clears the message."""
        if self._notice is not None:
            self.tell_error(self._notice)
            self._notice = None

    def _set(self, state: ViewerState) -> None:
        self._holder.set(state)
