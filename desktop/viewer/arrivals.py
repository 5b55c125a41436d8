"""What comes back from the engine, and what it changes."""

from __future__ import annotations

from dataclasses import replace

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from desktop.review.session_book import SessionBook
from desktop.state.holder import StateHolder
from desktop.state.viewer import (
    Stage,
    ViewerState,
    at_tile,
    detected,
    listed,
    listed_more,
    not_opened,
    opened,
    paced,
    place_of,
    pointed,
    recalled,
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
    Opened,
    Pointed,
    Recalled,
)
from engine.detect.detection import Detections
from engine.detect.tiling import Pace
from engine.errors import EngineError, ImageError, ModelError, SourceError
from engine.review.session import Session


class Arrivals(QObject):
    """Takes the runner's events.

    Attributes:
        canvas_image: The pixels of `state.image` as Qt draws them.
        answering_model: The model that answered last.

    Signals:
        leaving: Another image, or none, is about to be shown: what is being edited in this one is to be told now.
        model_failed: The chosen model cannot be used; the one before answers on.
    """

    leaving = pyqtSignal()
    model_failed = pyqtSignal()

    def __init__(
        self, holder: StateHolder, book: SessionBook, runner: DetectionRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._holder, self._book, self._runner = holder, book, runner
        self.canvas_image: QImage | None = None
        self.answering_model = holder.state.model
        self._coming: Session | None = None
        self._notice: EngineError | None = None
        runner.happened.connect(self._on_event)

    def expect(self, session: Session | None, notice: EngineError | None) -> None:
        """What is listed next belongs to this session; there may be something to tell about it."""
        self.forget_session()
        self._coming, self._notice = session, notice or self._notice

    def forget_session(self) -> None:
        """The images of the session that was expected do not come: it is closed, so that others may have it."""
        if self._coming is not None and self._coming is not self._book.session:
            self._book.retired.emit(self._coming)
        self._coming = None

    def renamed(self, model: str, new: str) -> None:
        """A model is called otherwise now."""
        if self.answering_model == model:
            self.answering_model = new

    def _on_event(self, event: Event) -> None:
        state = self._holder.state
        match event:
            case Stage():
                self._holder.set(waiting(state, event))
            case Listed():
                self.leaving.emit()
                coming, self._coming = self._coming, None
                self._book.use(coming)
                self._book.listed(event.sources)
                self._show(listed(self._holder.state, event.sources))
            case ListedMore():
                self._book.listed_more(event.sources)
                self._show(listed_more(state, event.sources))
            case Pointed():
                self._holder.set(pointed(state, place_of(event.source, state.sources)))
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
                self._tell_notice()
                self._expect_neighbours()

    def _on_opened(self, event: Opened) -> None:
        self.leaving.emit()
        self.canvas_image = event.canvas_image
        at = place_of(event.image.source, self._holder.state.sources)
        state = opened(self._holder.state, event.image, at)
        try:
            state = replace(state, decided=self._book.opened(event.image, at))
        except EngineError as error:
            self._book.content, self._notice = "", error
        self._show(state)

    def _on_detected(self, state: ViewerState, found: Detections) -> None:
        if found.model == state.model:
            self.answering_model = found.model
        if state.image is not None:
            self._book.detected(state.image, found)
        self._show(state)

    def _on_failed(self, error: EngineError) -> None:
        self.forget_session()
        state = waiting(self._holder.state, None)
        if isinstance(error, ImageError | SourceError) and state.is_elsewhere:
            self._book.failed(state.at, error)
            self._show(not_opened(state, error_text(error)))
        else:
            self._holder.set(state)
            self._holder.tell_error(error)
        self._expect_neighbours()
        if isinstance(error, ModelError) and state.model != self.answering_model:
            self.model_failed.emit()

    def _expect_neighbours(self) -> None:
        state = self._holder.state
        if state.at is not None:
            after, before = state.sources[state.at + 1 : state.at + 3], state.sources[max(state.at - 1, 0) : state.at]
            self._runner.expect(after + before, state.model, state.tiling)

    def _tell_notice(self) -> None:
        """What there is to tell about a session waits until the image is there: opening one clears the message."""
        notice, self._notice = self._notice, None
        if notice is not None:
            self._holder.tell_error(notice)

    def _show(self, state: ViewerState) -> None:
        self._holder.set(self._book.remarked(state))
