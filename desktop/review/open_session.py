"""The open session and what is known of the images in the list, as the state shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from desktop.review.image_list import ImageList
from desktop.review.known_detections import KnownDetections
from desktop.review.saved_view import SavedView
from desktop.review.session_worker import Lookup, SessionWorker
from desktop.state.client_images import ClientImage
from desktop.state.detection_setup import DetectionSetup
from desktop.state.holder import StateHolder
from desktop.state.viewer import Marks, SessionState, ViewerState, row_of
from desktop.style.i18n import tr
from engine.detect.detection import Detections
from engine.detect.same_name import same_name
from engine.errors import EngineError, ImageError, SourceError
from engine.image.opened import OpenedImage
from engine.image.source import Source
from engine.review.image_review import ImageReview
from engine.review.merge import match_decisions
from engine.review.session import Session

_IN_FILES = ("path", "url")
"""Kinds of sources that a session keeps by location; others are known only while they are in the list."""

REFRESH_MS = 150
"""How long the list's marks may lag behind what other threads find."""

SAVE_VIEW_MS = 1000
"""How long after an image is opened the user's position is saved."""


class OpenSession(QObject):
    """Derives marks, scores and the session's part of the state; used in the GUI thread.

    Attributes:
        content_hash: Of the shown image; empty before one is shown.
        labels: Classes that people gave, the newest first.

    Signals:
        retired(Session): A session is used no more and can be closed.
    """

    retired = pyqtSignal(object)

    def __init__(self, holder: StateHolder, worker: SessionWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._holder = holder
        self._worker = worker
        self._session: Session | None = None
        self._known = KnownDetections()
        self._marks_key: tuple[object, ...] = ()
        self._marks = Marks.of_none(0)
        self.content_hash = ""
        self.labels: list[str] = []
        self._refresh = self._timer(REFRESH_MS)
        self._refresh.timeout.connect(holder.refresh)
        self._saving = self._timer(SAVE_VIEW_MS)
        self._saving.timeout.connect(self.save_view)
        worker.looked_up.connect(self._on_lookup)

    @property
    def session(self) -> Session | None:
        """The session that decisions are kept in."""
        return self._session

    @property
    def known(self) -> KnownDetections:
        """The detections of the images in the list."""
        return self._known

    @property
    def images(self) -> ImageList:
        """What is known of each image in the list."""
        return self._known.images

    def derived(self, state: ViewerState) -> ViewerState:
        """Return the state with the list's marks, the scores, and what can be undone."""
        scores = self._known.scores()
        key = (self.images, self.images.version, len(state.sources), scores, state.chosen, state.refinement)
        if key != self._marks_key:
            self._marks_key = key
            self._marks = self.images.marks(len(state.sources), scores, state.chosen, state.refinement)
        return replace(state, scores=scores, marks=self._marks, session=self._session_state())

    def held(self, row: int) -> Detections | None:
        """Return the detections of an image that no file keeps."""
        return self._known.held.get(self.images.number(row))

    def undetected(self, setup: DetectionSetup) -> list[Source]:
        """Return the images of the list but those whose held detections come from `setup`."""
        held = map(self.held, range(len(self.images)))
        pairs = zip(self._holder.state.sources, held, strict=True)
        return [source for source, found in pairs if found is None or not setup.made(found)]

    def use(self, session: Session | None) -> None:
        """Keep decisions in another session from now on; the former one is retired."""
        if session is self._session:
            return
        self._saving.stop()
        self.save_view()
        former, self._session = self._session, session
        if former is not None:
            self.content_hash = ""  # the shown image is the former session's
            self.retired.emit(former)
        view = {} if session is None else session.view()
        if view:
            self._holder.set(SavedView.read(view).applied_to(self._holder.state))
        if session is not None:
            self._known.review_clients_again(self._review)
            self._refresh.start()

    def set_list(self, sources: Sequence[Source]) -> None:
        """Replace the opened images; client images stay behind them."""
        self._known = self._known.for_another_list(self._review)
        self.extend_list(sources)

    def extend_list(self, sources: Sequence[Source]) -> None:
        """Append to the opened images."""
        locations = [source.location for source in sources]
        first = self.images.add(locations)
        if self._session is not None:
            self._worker.look_up(self._session, self.images, first, locations, self._holder.state.setup)

    def set_client_images(self, images: Sequence[ClientImage], inbox: Sequence[Source]) -> None:
        """Take over new client images; those of `inbox` are in the list now."""
        self._known.set_client_images(images, inbox, self._review)

    def look_up_again(self) -> None:
        """Look up what another model or tiling found; client images keep their detections."""
        self._known.forget(self._review)
        if self._session is not None:
            self._worker.look_up_contents(
                self._session, self.images, self.images.content_hashes, self._holder.state.setup
            )
        self._holder.refresh()

    def image_opened(self, image: OpenedImage, row: int | None) -> ImageReview:
        """Record that an image is shown and return what was decided about it.

        Raises:
            EngineError: The session cannot be read.
        """
        self.content_hash = image.content_hash
        review = self._review(image.content_hash)
        self._saving.start()
        if row is not None and row < len(self.images):
            self.images.set_read(self.images.number(row), image.content_hash, review.is_reviewed)
            if self._session is not None:
                self._worker.save_place(self._session, image.source, image.content_hash, image.pixels.size)
        return review

    def image_failed(self, row: int | None, error: EngineError) -> None:
        """Record that the image in a row cannot be read."""
        if row is not None and row < len(self.images):
            self._set_unreadable(self.images.number(row), self._holder.state.sources[row], error)

    def image_detected(self, image: OpenedImage, found: Detections) -> None:
        """Take over the detections of the shown image."""
        self.count(image.content_hash, found)
        self._save(image.source, image.content_hash, found)

    def batch_detected(self, source: Source, content_hash: str, width: int, height: int, found: Detections) -> None:
        """Take over the detections of an image from a batch."""
        number = self._number_of(source)
        if number is None:
            return
        self.images.set_read(number, content_hash, self._review(content_hash).is_reviewed)
        if self._holder.state.setup.made(found):
            self.count(content_hash, found)
        if self._session is not None:
            self._worker.save_place(self._session, source, content_hash, (width, height))
        self._save(source, content_hash, found)
        self._refresh.start()

    def batch_failed(self, source: Source, error: EngineError) -> None:
        """Record that a batch could not open an image."""
        number = self._number_of(source)
        if number is not None and isinstance(error, ImageError | SourceError):
            self._set_unreadable(number, source, error)
            self._refresh.start()

    def count(self, content_hash: str, found: Detections) -> None:
        """Count the detections of an image, with what was decided about them."""
        self._known.put(content_hash, found, set(match_decisions(found, self._review(content_hash).decisions).values()))

    def add_label(self, label: str) -> None:
        """Remember a class that a person gave."""
        label = same_name(label)
        self.labels = [label, *(each for each in self.labels if each != label)]

    def save_view(self) -> None:
        """Save the user's position in the session."""
        if self._session is None or self._session.is_read_only:
            return
        try:
            view = SavedView.of(self._holder.state)
            if not view.location:  # a pasted or client image: the position in the list stays
                view = view.model_copy(update={"location": SavedView.read(self._session.view()).location})
            self._session.set_view(view.model_dump())
        except EngineError as error:
            self._holder.tell_error(error)

    def close(self) -> None:
        """Save the user's position and retire the session."""
        self._refresh.stop()
        self._saving.stop()
        self.use(None)

    def _timer(self, interval: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        return timer

    def _on_lookup(self, lookup: Lookup) -> None:
        if lookup.images is not self.images:
            return
        self.images.add_records(lookup.first, lookup.locations, lookup.records)
        if lookup.setup != self._holder.state.setup:
            contents = {record.content_hash for record in lookup.records.values()} - {""}
            if self._session is not None and contents:
                self._worker.look_up_contents(self._session, self.images, contents, self._holder.state.setup)
            return
        for content_hash, found, decided in lookup.found:
            self._known.put(content_hash, found, decided)
        self.labels += [label for label in lookup.labels if label not in self.labels]
        self._refresh.start()

    def _save(self, source: Source, content_hash: str, found: Detections) -> None:
        """Save detections in the session, or hold those of an image without a file."""
        if source.kind not in _IN_FILES:
            self._known.hold(content_hash, found)
        elif self._session is not None:
            self._worker.save_detections(self._session, content_hash, found)

    def _review(self, content_hash: str) -> ImageReview:
        return ImageReview() if self._session is None else self._session.image(content_hash)

    def _set_unreadable(self, number: int, source: Source, error: EngineError) -> None:
        self.images.set_unreadable(number)
        if self._session is not None and source.kind == "path":
            self._worker.save_unreadable(self._session, source.location, error.message)

    def _number_of(self, source: Source) -> int | None:
        """Return the number of an image; pasted and client images have no location of their own."""
        if source.kind in _IN_FILES:
            return self.images.number_at(source.location)
        row = row_of(source, self._holder.state.sources)
        return None if row is None else self.images.number(row)

    def _session_state(self) -> SessionState:
        session = self._session
        if session is None:
            return SessionState()
        names = _step_names()
        undo, redo = names.get(session.undo_text, ""), names.get(session.redo_text, "")
        return SessionState(session.name, session.is_read_only, undo, redo)


def _step_names() -> dict[str, str]:
    return {
        "accept": tr("Accept"),
        "reject": tr("Reject"),
        "forget": tr("Take back"),
        "relabel": tr("Relabel"),
        "move": tr("Move"),
        "add": tr("Add a box"),
        "note": tr("Note"),
        "reviewed": tr("Reviewed"),
        "accept_all": tr("Accept all"),
    }
