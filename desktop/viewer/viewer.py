"""Everything behind the window: the state, and objects for what the user can do."""

from __future__ import annotations

import time
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from desktop.batch.runner import BatchRunner
from desktop.models.manager import ModelManager
from desktop.results.choosing import Choosing
from desktop.review.open_session import OpenSession
from desktop.review.reviewing import Reviewing
from desktop.review.session_opener import SessionOpener
from desktop.review.session_worker import SessionWorker
from desktop.state.holder import StateHolder
from desktop.state.viewer import Message, Offer, ViewerState, told
from desktop.style.i18n import error_text, tr
from desktop.viewer.browsing import Browsing
from desktop.viewer.conversion_watch import ConversionWatch
from desktop.viewer.detection_runner import DetectionRunner
from desktop.viewer.event_handler import EventHandler
from desktop.viewer.exports import Exports
from desktop.viewer.model_choice import ModelChoice
from desktop.work.task_runner import TaskRunner
from engine.engine import Engine
from engine.settings import Settings


class Viewer(QObject):
    """Puts together what shows images and detections, without any widget.

    Attributes:
        holder: Holds the state.
        runner: Opens images and detects in them in its thread.
        session: The open session, and what is known of the images in the list.
        events: Applies the runner's events to the state.
        browsing: Opens images, goes through the list, detects.
        choosing: Chooses which detections are shown and selected.
        reviewing: Makes decisions.
        models: Changes the catalog.
        model_choice: Chooses the model and the tiles.
        batch: Detects in all images.
        exports: Exports and copies results.

    Signals:
        changed(ViewerState): The state has changed.
    """

    changed = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine = engine
        first = ViewerState(model=engine.default_model, models=engine.catalog.names)
        self.holder = holder = StateHolder(first, self.changed.emit, error_text)
        self.tell, self.tell_error = holder.tell, holder.tell_error
        self._applying = TaskRunner("settings", self)
        self._applying.failed.connect(self.tell_error)
        self.runner = DetectionRunner(engine, self)
        self._worker = SessionWorker(engine.known.key, engine.known.key_of, self)
        self._worker.failed.connect(self.tell_error)
        self.models = ModelManager(engine, holder, self)
        self.session = OpenSession(holder, self._worker, self)
        self.events = EventHandler(holder, self.session, self.runner, self)
        opener = SessionOpener(self._worker, self)
        self.browsing = Browsing(holder, self.session, opener, self.runner, self.events, self)
        self.choosing = Choosing(holder)
        self.model_choice = ModelChoice(engine, holder, self.session, self.browsing, self.events, self.models, self)
        holder.derive(self.model_choice.with_wanted_classes)
        holder.derive(self.session.derived)
        self.reviewing = Reviewing(holder, self.session, self)
        self.reviewing.row_wanted.connect(self.browsing.show_row)
        self.changed.connect(self.reviewing.on_state_changed)
        self.exports = Exports(engine, holder, self.session, self._worker, self)
        self._conversion = ConversionWatch(engine, holder, self)
        self.changed.connect(self._conversion.on_state_changed)
        self.batch = BatchRunner(engine, self)
        self.batch.found.connect(self.session.batch_detected)
        self.batch.failed.connect(self.session.batch_failed)
        self.batch.broken.connect(self.tell_error)

    @property
    def state(self) -> ViewerState:
        """The present state."""
        return self.holder.state

    @property
    def canvas_image(self) -> QImage | None:
        """The pixels of `state.image` as Qt draws them."""
        return self.events.canvas_image

    @property
    def session_path(self) -> Path | None:
        """The file of the open session."""
        return None if self.session.session is None else self.session.session.path

    def offer(self, text: str, offer: Offer) -> None:
        """Show a sentence with a button in the message bar."""
        self.holder.set(told(self.state, Message(text, is_error=False, offer=offer)))

    def dismiss_message(self) -> None:
        """Close the message bar."""
        self.holder.set(told(self.state, None))

    def apply(self, settings: Settings) -> None:
        """Use other settings of the engine; requests that run keep the former ones."""
        self._applying.run(lambda _: self.engine.apply(settings))

    def detect_all(self) -> None:
        """Start a batch with every image of the list whose detections are not held already."""
        sources = self.session.undetected(self.state.setup)
        if sources:
            self.batch.start(sources, self.state.model, self.state.tiling)
        elif self.state.sources:
            self.tell(tr("The model has answered for every image already."))

    def close(self, seconds: float) -> bool:
        """Stop every thread and unload the models; return False where a model runs longer than that."""
        until = time.monotonic() + seconds
        self.models.interrupt()
        self.batch.stop(0.0)
        ended = self.runner.stop(seconds)
        ended &= self.batch.stop(max(until - time.monotonic(), 0.1))
        ended &= self.models.stop(max(until - time.monotonic(), 0.1))
        ended &= self._conversion.stop(max(until - time.monotonic(), 0.1))
        ended &= self._applying.wait(max(until - time.monotonic(), 0.1))
        self.session.close()
        self.exports.close()
        self._worker.wait()
        unloading = TaskRunner("unloading")
        unloading.run(lambda task: self.engine.close())
        ended &= unloading.wait(max(until - time.monotonic(), 0.1))
        return ended & self.models.conversions.stop(max(until - time.monotonic(), 0.3))
