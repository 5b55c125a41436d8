"""The session that is open, and what is known of the images of the list: contents, marks, scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from desktop.exporting import Candidate
from desktop.i18n import tr
from desktop.places import Places
from desktop.session_reader import Reading, SessionReader
from desktop.session_view import SessionView
from desktop.state_holder import StateHolder
from desktop.viewer_state import SessionState, ViewerState, place_of
from engine.detect.detection import Detections
from engine.engine import OpenedImage
from engine.errors import EngineError, ImageError, SourceError
from engine.image.source import Source
from engine.review.image_review import ImageReview
from engine.review.merge import match
from engine.review.session import Session
from engine.review.tally import Tally

REFRESH_MS = 150
"""How long the marks of the list may lag behind what is found away from the window."""

KEEPING_MS = 1000
"""How long after an image is opened it is kept that the user is there."""


class SessionBook(QObject):
    """Used in the window's thread; what takes longer is left to the reader.

    Attributes:
        content: The content hash of the shown image; empty before one is.
        labels: Classes that people gave, the last one first.

    Signals:
        retired(Session): A session is not decided in any more and can be closed.
    """

    retired = pyqtSignal(object)

    def __init__(self, holder: StateHolder, reader: SessionReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._holder = holder
        self._reader = reader
        self._session: Session | None = None
        self._places = Places()
        self._tally = Tally()
        self.content = ""
        self.labels: list[str] = []
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_MS)
        self._refresh.timeout.connect(self._on_refresh)
        self._keeping = QTimer(self)
        self._keeping.setSingleShot(True)
        self._keeping.setInterval(KEEPING_MS)
        self._keeping.timeout.connect(self.keep_view)
        reader.read.connect(self._on_read)

    @property
    def session(self) -> Session | None:
        """The session that decisions go to."""
        return self._session

    @property
    def places(self) -> Places:
        """What is known of each image of the list."""
        return self._places

    def use(self, session: Session | None) -> None:
        """Decide in another session from now on; the former one is retired."""
        if session is self._session:
            return
        self._keeping.stop()
        self.keep_view()
        former, self._session = self._session, session
        if former is not None:
            self.content = ""  # the image on the screen is the former session's
            self.retired.emit(former)
        view = {} if session is None else session.view()
        if view:
            self._holder.set(SessionView.read(view).applied_to(self._holder.state))

    def listed(self, sources: Sequence[Source]) -> None:
        """Other images are in the list."""
        self._places, self._tally = Places(), Tally()
        self.listed_more(sources)

    def listed_more(self, sources: Sequence[Source]) -> None:
        """More images are at the end of the list."""
        locations = [source.location for source in sources]
        first = self._places.add(locations)
        if self._session is not None:
            self._reader.look_up(self._session, self._places, first, locations, self._holder.state.model)

    def model_changed(self) -> None:
        """Another model is asked: what it found before is looked up again."""
        self._tally = Tally()
        self._places.forget_detections()
        if self._session is not None:
            self._reader.recall(self._session, self._places, self._places.contents, self._holder.state.model)

    def opened(self, image: OpenedImage, place: int | None) -> ImageReview:
        """An image is shown; returns what was decided about it."""
        self.content = image.content_hash
        kept = ImageReview() if self._session is None else self._session.image(image.content_hash)
        self._keeping.start()
        if place is not None and place < len(self._places):
            self._places.opened(place, image.content_hash, kept.is_reviewed)
            if self._session is not None:
                self._reader.note_place(self._session, image.source, image.content_hash, image.pixels.size)
        return kept

    def failed(self, place: int | None, error: EngineError) -> None:
        """An image cannot be read."""
        if place is None or place >= len(self._places):
            return
        self._places.failed(place)
        source = self._holder.state.sources[place]
        if self._session is not None and source.kind == "path":
            self._reader.note_unreadable(self._session, source.location, error.message)

    def detected(self, image: OpenedImage, found: Detections) -> None:
        """It is known what is in an image; what clients of the API sent is not kept."""
        self.count(image.content_hash, found)
        if self._session is not None and image.source.kind in ("path", "url"):
            self._reader.keep(self._session, image.content_hash, found)

    def found(self, source: Source, content_hash: str, width: int, height: int, found: Detections) -> None:
        """Detecting in all images came by one of them."""
        place = self._places.at(source.location)
        if place is None or self._session is None:
            return
        self._places.opened(place, content_hash, self._session.image(content_hash).is_reviewed)
        if found.model == self._holder.state.model:
            self.count(content_hash, found)
        self._reader.note_place(self._session, source, content_hash, (width, height))
        self._reader.keep(self._session, content_hash, found)
        self._refresh.start()

    def not_found(self, source: Source, error: EngineError) -> None:
        """Detecting in all images could not open one of them."""
        if isinstance(error, ImageError | SourceError):
            self.failed(self._places.at(source.location), error)
            self._refresh.start()

    def candidates(self) -> list[Candidate]:
        """Every image of the list as something to export, the open one in any case."""
        state = self._holder.state
        listed = [Candidate(source, self._places.hash_of(place)) for place, source in enumerate(state.sources)]
        if state.image is not None:
            here = Candidate(state.image.source, self.content, state.image)
            at = place_of(state.image.source, state.sources)
            if at is None:
                listed.append(here)
            else:
                listed[at] = here
        return listed

    def remarked(self, state: ViewerState) -> ViewerState:
        """The state with what the session tells: the list's marks, the scores, undo and redo."""
        scores = self._tally.scores()
        marks = self._places.marks(len(state.sources), scores, state.chosen, state.refinement)
        return replace(state, scores=scores, marks=marks, session=self._session_state())

    def gave(self, label: str) -> None:
        """A person gave this class to something."""
        self.labels = [label, *(each for each in self.labels if each != label)]

    def keep_view(self) -> None:
        """Keep where the user is, for the next time."""
        if self._session is None or self._session.is_read_only:
            return
        try:
            view = SessionView.of(self._holder.state)
            if not view.location:  # pasted, or sent by a client: one is still where one was in the list
                view = view.model_copy(update={"location": SessionView.read(self._session.view()).location})
            self._session.set_view(view.model_dump())
        except EngineError as error:
            self._holder.tell_error(error)

    def close(self) -> None:
        """Keep where the user is, and close the session."""
        self._refresh.stop()
        self._keeping.stop()
        self.use(None)

    def count(self, content_hash: str, found: Detections) -> None:
        """Count an image's detections, wherever it is in the list."""
        decisions = () if self._session is None else self._session.image(content_hash).decisions
        decided = set(match(found, decisions).values())
        for place in self._places.having(content_hash):
            self._tally.put(place, found, decided)
            self._places.detected(place)

    def _on_refresh(self) -> None:
        self._holder.set(self.remarked(self._holder.state))

    def _on_read(self, reading: Reading) -> None:
        if reading.places is not self._places:
            return
        self._places.know(reading.first, reading.locations, reading.known)
        if reading.model != self._holder.state.model:
            contents = {place.content_hash for place in reading.known.values()} - {""}
            if self._session is not None and contents:
                self._reader.recall(self._session, self._places, contents, self._holder.state.model)
            return
        for content_hash, found, decided in reading.found:
            for place in self._places.having(content_hash):
                self._tally.put(place, found, decided)
                self._places.detected(place)
        self.labels += [label for label in reading.labels if label not in self.labels]
        self._refresh.start()

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
