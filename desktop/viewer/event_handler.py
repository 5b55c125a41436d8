"""Applies the events of the detection runner to the state."""

from __future__ import annotations

from dataclasses import replace

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from desktop.review.open_session import OpenSession
from desktop.state.holder import StateHolder
from desktop.state.viewer import (
    Message,
    Stage,
    ViewerState,
    at_tile,
    detected,
    listed,
    listed_more,
    not_opened,
    opened,
    paced,
    pointed,
    recalled,
    row_of,
    told,
    waiting,
)
from desktop.style.i18n import error_text
from desktop.viewer.detection_runner import (
    AtTile,
    DetectionRunner,
    Done,
    Event,
    Failed,
    Listed,
    ListedMore,
    Noted,
    Opened,
    Pointed,
    Recalled,
)
from engine.detect.detection import Detections
from engine.detect.tiling import Pace
from engine.errors import EngineError, ImageError, ModelError, SourceError
from engine.review.session import Session


class EventHandler(QObject):
    """Takes the runner's events.

    Attributes:
        canvas_image: The pixels of `state.image` as Qt draws them.
        answering_model: The model that answered last.

    Signals:
        leaving: Another image, or none, is about to be shown: edits of the shown one must be reported now.
        model_failed: The chosen model cannot be used; the one before stays in use.
    """

    leaving = pyqtSignal()
    model_failed = pyqtSignal()

    def __init__(
        self, holder: StateHolder, session: OpenSession, runner: DetectionRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._holder, self._session, self._runner = holder, session, runner
        self.canvas_image: QImage | None = None
        self.answering_model = holder.state.model
        self._next_session: Session | None = None
        self._notice: EngineError | None = None
        self._notes: tuple[EngineError, ...] = ()
        runner.happened.connect(self.handle)

    def expect(self, session: Session | None, notice: EngineError | None) -> None:
        """Use a session for the next list, and show a message about it when an image is shown."""
        self.forget_session()
        self._next_session, self._notice = session, notice or self._notice

    def forget_session(self) -> None:
        """Retire the session of a list that does not come."""
        if self._next_session is not None and self._next_session is not self._session.session:
            self._session.retired.emit(self._next_session)
        self._next_session = None

    def rename_model(self, model: str, new: str) -> None:
        """Follow a model that was renamed."""
        if self.answering_model == model:
            self.answering_model = new

    def handle(self, event: Event) -> None:
        """Apply an event."""
        state = self._holder.state
        match event:
            case Stage():
                self._holder.set(waiting(state, event))
            case Listed():
                self.leaving.emit()
                session, self._next_session = self._next_session, None
                self._session.use(session)
                self._session.set_list(event.sources)
                self._holder.set(listed(self._holder.state, event.sources))
            case ListedMore():
                self._session.extend_list(event.sources)
                self._holder.set(listed_more(state, event.sources))
            case Noted():
                self._notes = event.notes
                if state.stage is None:
                    self._show_notes()
            case Pointed():
                self._holder.set(pointed(state, row_of(event.source, state.sources)))
            case Opened():
                self._on_opened(event)
            case Recalled():
                self._on_detected(recalled(state, event.detections), event.detections)
            case Pace():
                self._holder.set(paced(state, event))
            case AtTile():
                self._holder.set(at_tile(state, event.at, event.of))
            case Detections():
                self._on_detected(detected(state, event), event)
            case Failed():
                self._on_failed(event.error)
            case Done():
                self.answering_model = state.model
                self._holder.set(waiting(state, None))
                self._show_notice()
                self._prefetch_neighbours()

    def _on_opened(self, event: Opened) -> None:
        self.leaving.emit()
        self.canvas_image = event.canvas_image
        at = row_of(event.image.source, self._holder.state.sources)
        state = opened(self._holder.state, event.image, at)
        try:
            state = replace(state, decided=self._session.image_opened(event.image, at))
        except EngineError as error:
            self._session.content_hash, self._notice = "", error
        self._holder.set(state)

    def _on_detected(self, state: ViewerState, found: Detections) -> None:
        if found.model == state.model:
            self.answering_model = found.model
        if state.image is not None:
            self._session.image_detected(state.image, found)
        self._holder.set(state)

    def _on_failed(self, error: EngineError) -> None:
        self.forget_session()
        state = waiting(self._holder.state, None)
        if isinstance(error, ImageError | SourceError) and state.is_elsewhere:
            self._session.image_failed(state.at, error)
            self._holder.set(not_opened(state, error_text(error)))
        else:
            self._holder.set(state)
            self._holder.tell_error(error)
        self._prefetch_neighbours()
        if isinstance(error, ModelError) and state.model != self.answering_model:
            self.model_failed.emit()

    def _prefetch_neighbours(self) -> None:
        state = self._holder.state
        if state.at is not None:
            after, before = state.sources[state.at + 1 : state.at + 3], state.sources[max(state.at - 1, 0) : state.at]
            self._runner.expect(after + before, state.model, state.tiling)

    def _show_notice(self) -> None:
        """Show the message about a session, which opening an image would have cleared."""
        notice, self._notice = self._notice, None
        if notice is not None:
            self._holder.tell_error(notice)
        else:
            self._show_notes()

    def _show_notes(self) -> None:
        """Show what the user should know of the listing."""
        notes, self._notes = self._notes, ()
        if notes:
            self._holder.set(told(self._holder.state, Message(" ".join(map(error_text, notes)), is_error=False)))
