"""The session that is open, and what is known of the images of the list: contents, marks, scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from desktop.export.known import Candidate
from desktop.images.places import Places
from desktop.review.session_finds import Finds
from desktop.review.session_reader import Reading, SessionReader
from desktop.review.session_view import SessionView
from desktop.state.holder import StateHolder
from desktop.state.look import Look
from desktop.state.received import Received
from desktop.state.viewer import SessionState, ViewerState, place_of
from desktop.style.i18n import tr
from engine.detect.detection import Detections
from engine.engine import OpenedImage
from engine.errors import EngineError, ImageError, SourceError
from engine.image.source import Source
from engine.review.image_review import ImageReview
from engine.review.merge import match_decisions
from engine.review.session import Session

_IN_FILES = ("path", "url")
"""What the session's file knows by its location; anything else is only there as long as it is in the list."""

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
        self._finds = Finds()
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
        """What is known of each image of the list; scores tell images by their numbers in it."""
        return self._finds.places

    def answer(self, place: int) -> Detections | None:
        """What is known to be in an image that no file keeps: what its client was answered, or what was found since."""
        return self._finds.answers.get(self.places.number(place))

    def unanswered(self, look: Look) -> list[Source]:
        """The images of the list but those of `answer` that were looked at like this."""
        numbers, answers = map(self.places.number, range(len(self.places))), self._finds.answers
        return [
            source
            for source, number in zip(self._holder.state.sources, numbers, strict=True)
            if number not in answers or not look.has_found(answers[number])
        ]

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
        if session is not None:
            self._finds.decide_again(self._kept)
            self._refresh.start()

    def listed(self, sources: Sequence[Source]) -> None:
        """Other images are in the list; those that clients sent stay behind them."""
        self._finds = self._finds.of_another_list(self._kept)
        self.listed_more(sources)

    def received(self, images: Sequence[Received], inbox: Sequence[Source]) -> None:
        """Clients sent images; those in `inbox` are in the list now."""
        self._finds.receive(images, inbox, self._kept)

    def listed_more(self, sources: Sequence[Source]) -> None:
        """More images are at the end of the list."""
        locations = [source.location for source in sources]
        first = self.places.add(locations)
        if self._session is not None:
            self._reader.look_up(self._session, self.places, first, locations, self._holder.state.look)

    def look_changed(self) -> None:
        """Another model is asked, or about other tiles: what it found before is looked up again.

        Clients' images keep their answers.
        """
        self._finds.forget(self._kept)
        if self._session is not None:
            self._reader.recall(self._session, self.places, self.places.contents, self._holder.state.look)

    def opened(self, image: OpenedImage, place: int | None) -> ImageReview:
        """An image is shown; returns what was decided about it."""
        self.content = image.content_hash
        kept = self._kept(image.content_hash)
        self._keeping.start()
        if place is not None and place < len(self.places):
            self.places.opened(self.places.number(place), image.content_hash, kept.is_reviewed)
            if self._session is not None:
                self._reader.note_place(self._session, image.source, image.content_hash, image.pixels.size)
        return kept

    def failed(self, place: int | None, error: EngineError) -> None:
        """An image cannot be read."""
        if place is not None and place < len(self.places):
            self._failed(self.places.number(place), self._holder.state.sources[place], error)

    def detected(self, image: OpenedImage, found: Detections) -> None:
        """It is known what is in an image; what was pasted or sent by clients of the API is not written anywhere."""
        self.count(image.content_hash, found)
        self._keep(image.source, image.content_hash, found)

    def found(self, source: Source, content_hash: str, width: int, height: int, found: Detections) -> None:
        """Detecting in all images came by one of them."""
        number = self._number_of(source)
        if number is None:
            return
        self.places.opened(number, content_hash, self._kept(content_hash).is_reviewed)
        if self._holder.state.look.has_found(found):
            self.count(content_hash, found)
        if self._session is not None:
            self._reader.note_place(self._session, source, content_hash, (width, height))
        self._keep(source, content_hash, found)
        self._refresh.start()

    def not_found(self, source: Source, error: EngineError) -> None:
        """Detecting in all images could not open one of them."""
        number = self._number_of(source)
        if number is not None and isinstance(error, ImageError | SourceError):
            self._failed(number, source, error)
            self._refresh.start()

    def candidates(self) -> list[Candidate]:
        """Every image of the list as something to export, the open one in any case."""
        state = self._holder.state
        numbers = map(self.places.number, range(len(state.sources)))
        listed = [
            Candidate(source, self.places.hash_of(number), found=self._finds.answers.get(number))
            for source, number in zip(state.sources, numbers, strict=True)
        ]
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
        scores = self._finds.scores()
        marks = self.places.marks(len(state.sources), scores, state.chosen, state.refinement)
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
        self._finds.count(content_hash, found, set(match_decisions(found, self._kept(content_hash).decisions).values()))

    def _on_refresh(self) -> None:
        self._holder.set(self.remarked(self._holder.state))

    def _on_read(self, reading: Reading) -> None:
        if reading.places is not self.places:
            return
        self.places.know(reading.first, reading.locations, reading.known)
        if reading.look != self._holder.state.look:
            contents = {place.content_hash for place in reading.known.values()} - {""}
            if self._session is not None and contents:
                self._reader.recall(self._session, self.places, contents, self._holder.state.look)
            return
        for content_hash, found, decided in reading.found:
            self._finds.count(content_hash, found, decided)
        self.labels += [label for label in reading.labels if label not in self.labels]
        self._refresh.start()

    def _keep(self, source: Source, content_hash: str, found: Detections) -> None:
        """Keep what a model found: in the session's file, or as long as an image without a file is in the list."""
        if source.kind not in _IN_FILES:
            self._finds.hold(content_hash, found)
        elif self._session is not None:
            self._reader.keep(self._session, content_hash, found)

    def _kept(self, content_hash: str) -> ImageReview:
        """What was decided about an image."""
        return ImageReview() if self._session is None else self._session.image(content_hash)

    def _failed(self, number: int, source: Source, error: EngineError) -> None:
        self.places.failed(number)
        if self._session is not None and source.kind == "path":
            self._reader.note_unreadable(self._session, source.location, error.message)

    def _number_of(self, source: Source) -> int | None:
        """The number of an image of the list; what was pasted or sent has no location of its own."""
        if source.kind in _IN_FILES:
            return self.places.at(source.location)
        place = place_of(source, self._holder.state.sources)
        return None if place is None else self.places.number(place)

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
