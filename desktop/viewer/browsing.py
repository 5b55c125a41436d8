"""What the user can do with the images of the list: open, go through, detect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.review.open_session import OpenSession
from desktop.review.saved_view import SavedView
from desktop.review.session_opener import SessionOpener
from desktop.state.client_images import ClientImage
from desktop.state.holder import StateHolder
from desktop.state.viewer import Stage, inbox_emptied, inbox_extended, pointed, row_of, waiting
from desktop.viewer.detection_runner import DetectionRunner, Request
from desktop.viewer.event_handler import EventHandler
from engine.errors import EngineError
from engine.image.source import Source, SourceLike
from engine.review.session import Session


class Browsing(QObject):
    """Asks the detection runner for images and detections.

    Attributes:
        detects_on_opening: Whether the model is asked about an image that is opened.

    Signals:
        opening(tuple[SourceLike, ...]): The user opens this.
    """

    opening = pyqtSignal(object)

    def __init__(
        self,
        holder: StateHolder,
        session: OpenSession,
        opener: SessionOpener,
        runner: DetectionRunner,
        events: EventHandler,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.detects_on_opening = True
        self._holder, self._session, self._opener = holder, session, opener
        self._runner, self._events = runner, events
        opener.opened.connect(self._on_session_opened)

    def open(self, given: Sequence[SourceLike]) -> None:
        """Open files, folders, URLs or pasted data, and show the first image or the one of the saved position."""
        if given:
            self.opening.emit(tuple(given))
            self._runner.cancel()
            self._events.forget_session()  # its file is free again before the next one is opened
            self._holder.set(waiting(self._holder.state, Stage.LISTING))
            self._opener.request(tuple(given), self._session.session)

    def go(self, step: int) -> None:
        """Show the image `step` rows further, if there is one."""
        state = self._holder.state
        row = (state.at if state.at is not None else -1) + step
        if 0 <= row < len(state.sources):
            self.show_row(row)

    def show(self, source: Source) -> None:
        """Show an image of the list."""
        row = row_of(source, self._holder.state.sources)
        if row is not None:
            self.show_row(row)

    def show_row(self, row: int) -> None:
        """Show the image in a row."""
        self._events.leaving.emit()
        self._opener.cancel()
        self._events.forget_session()
        self._runner.cancel()
        self._holder.set(pointed(self._holder.state, row))
        state = self._holder.state
        known = self._session.held(row) if row >= len(state.sources) - state.inbox_size else None
        self._ask(Request(state.model, source=state.sources[row], known=known, tiling=state.tiling))

    def detect_again(self) -> None:
        """Ask the model about the shown image again, whatever the cache has."""
        if self._is_opening:
            self.show_row(self._holder.state.at or 0)
        elif self._holder.state.image is not None:
            self.detect_shown(fresh=True)

    def detect_shown(self, fresh: bool = False) -> None:
        """Detect in the shown image; `fresh` does not use the cache."""
        state = self._holder.state
        self._ask(Request(state.model, image=state.image, fresh=fresh, tiling=state.tiling), detect=True)

    def setup_changed(self) -> None:
        """Detect in the shown or opening image with another model or tiling."""
        if self._is_opening:
            self.show_row(self._holder.state.at or 0)
        else:
            self.detect_shown()

    def warm_up(self) -> None:
        """Load the model and open the session of single images before they are needed."""
        state = self._holder.state
        if state.stage is None and state.image is None:
            self._ask(Request(state.model))
            self._opener.request((), self._session.session)

    def cancel(self) -> None:
        """Cancel what is being waited for; the last good state stays."""
        self._opener.cancel()
        self._events.forget_session()
        self._runner.cancel()
        state = self._holder.state
        row = state.at if state.image is None else row_of(state.image.source, state.sources)
        self._holder.set(waiting(pointed(state, row), None))

    def add_client_images(self, images: Sequence[ClientImage]) -> None:
        """Append images that clients of the API sent, with their detections, to the list."""
        state = inbox_extended(self._holder.state, [each.source for each in images])
        self._session.set_client_images(images, state.inbox)
        self._holder.set(state)

    def empty_inbox(self) -> None:
        """Remove the client images from the list."""
        state = inbox_emptied(self._holder.state)
        self._session.set_client_images((), state.inbox)
        self._holder.set(state)

    @property
    def _is_opening(self) -> bool:
        """Whether another image of the list than the shown one was asked for and is still being opened."""
        return self._holder.state.is_elsewhere and self._holder.state.stage is not None

    def _ask(self, request: Request, detect: bool | None = None) -> None:
        """Ask the runner; `None` detects unless the user prefers to wait."""
        self._holder.set(waiting(self._holder.state, request.first_stage))
        self._runner.ask(replace(request, detect=self.detects_on_opening if detect is None else detect))

    def _on_session_opened(
        self, given: tuple[SourceLike, ...], session: Session | None, notice: EngineError | None
    ) -> None:
        if not given:
            self._session.use(self._session.session or session)
            self._events.expect(None, notice)
            self._holder.refresh()
            return
        self._events.expect(session, notice)
        state, view = self._holder.state, {} if session is None else session.view()
        saved = SavedView.read(view)
        tiling = saved.applied_to(state).tiling if view else state.tiling
        self._ask(Request(state.model, given=given, start=saved.location, tiling=tiling))
