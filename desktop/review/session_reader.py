"""Reading and keeping what belongs to sessions away from the window's thread, in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.images.places import Places
from desktop.state.look import Look
from desktop.work.task_runner import Task, TaskRunner
from engine.detect.detection import Detections
from engine.detect.tiling import Tiling
from engine.errors import EngineError
from engine.image.source import Source
from engine.review.merge import match_decisions
from engine.review.session import KnownImage, Session

_AT_ONCE = 500
"""Images looked up at a time: the window takes each lot over between two events."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a session knows of some images.

    Attributes:
        places: The list that they were looked up for.
        first: The place of the first of them.
        locations: Where they are, in the order of the list.
        known: By location.
        found: Content, detections, and which of them are decided.
        labels: Classes that people gave.
        look: Whose detections these are.
    """

    places: Places
    first: int = 0
    locations: Sequence[str] = ()
    known: Mapping[str, KnownImage] = field(default_factory=dict)
    found: Sequence[tuple[str, Detections, Collection[int]]] = ()
    labels: Sequence[str] = ()
    look: Look = field(default_factory=lambda: Look(""))


class SessionReader(QObject):
    """Does one thing after the other in a thread, so that a session is closed after its last use.

    Signals:
        ready(Path, Session | EngineError): The session at a path was opened, or why it cannot be.
        read(Reading): What is known of some images.
        failed(EngineError): Something could not be kept.
    """

    ready = pyqtSignal(object, object)
    read = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(
        self,
        fingerprint: Callable[[str, Tiling | None], str],
        fingerprint_of: Callable[[Detections], str],
        parent: QObject | None = None,
    ) -> None:
        """Know the engine's way to name models.

        Args:
            fingerprint: Names a model as it answers now.
            fingerprint_of: Names a model as it was when it gave these answers.
            parent: Qt's.
        """
        super().__init__(parent)
        self._fingerprint = fingerprint
        self._fingerprint_of = fingerprint_of
        self._tasks = TaskRunner("session", self)
        self._tasks.failed.connect(self.failed)

    def open(self, path: Path) -> None:
        """Open a session; `ready` brings it."""
        self._tasks.run(lambda task: _opened(path), lambda outcome: self.ready.emit(path, outcome))

    def close(self, session: Session) -> None:
        """Close a session once everything that was asked of it is done."""
        self._tasks.run(lambda task: session.close())

    def look_up(self, session: Session, places: Places, first: int, locations: Sequence[str], look: Look) -> None:
        """Find out what the session knows of images; `read` brings it, in several lots where there are many."""
        for at in range(0, len(locations), _AT_ONCE):
            lot = locations[at : at + _AT_ONCE]
            self._tasks.run(partial(self._known, session, places, first + at, lot, look), self.read.emit)

    def recall(self, session: Session, places: Places, contents: Iterable[str], look: Look) -> None:
        """Find out what another look found in images of the list; `read` brings it."""
        rest = iter(contents)
        while lot := list(islice(rest, _AT_ONCE)):
            self._tasks.run(partial(self._recalled, session, places, lot, look), self.read.emit)

    def note_place(self, session: Session, source: Source, content_hash: str, size: tuple[int, int]) -> None:
        """Keep where an image is and how large it is, width and height in pixels."""
        if source.kind in ("path", "url") and not session.is_read_only:
            self._tasks.run(lambda task: session.note_image(source.location, content_hash, source.name, *size))

    def note_unreadable(self, session: Session, location: str, reason: str) -> None:
        """Keep that an image cannot be read."""
        if not session.is_read_only:
            self._tasks.run(lambda task: session.note_unreadable(location, reason))

    def keep(self, session: Session, content_hash: str, found: Detections) -> None:
        """Keep what a model found."""
        if not session.is_read_only:
            self._tasks.run(partial(self._keep, session, content_hash, found))

    def wait(self) -> None:
        """Wait until everything that was asked is done."""
        self._tasks.wait()

    def _keep(self, session: Session, content_hash: str, found: Detections, task: Task) -> None:
        try:
            fingerprint = self._fingerprint_of(found)
        except EngineError:
            return  # the model was renamed or removed meanwhile, which is no failure of the session
        session.put_detections(content_hash, fingerprint, found)

    def _recalled(self, session: Session, places: Places, contents: Collection[str], look: Look, task: Task) -> Reading:
        return Reading(places, found=self._found(session, contents, look), look=look)

    def _known(
        self, session: Session, places: Places, first: int, locations: Sequence[str], look: Look, task: Task
    ) -> Reading:
        known = session.known_images(locations)
        contents = {place.content_hash for place in known.values()} - {""}
        found = self._found(session, contents, look)
        labels = {
            decision.label
            for content in contents
            for decision in session.image(content).decisions
            if decision.original is None or decision.relabelled
        }
        return Reading(places, first, locations, known, found, sorted(labels), look)

    def _found(
        self, session: Session, contents: Collection[str], look: Look
    ) -> Sequence[tuple[str, Detections, Collection[int]]]:
        try:
            fingerprint = self._fingerprint(look.model, look.tiling)
        except EngineError:
            return []  # that the model cannot be used is told where it is asked
        rows = []
        for content in contents:
            found = session.detections(content, fingerprint)
            if found is not None:
                found = replace(found, model=look.model, tiling=look.tiling)
                rows.append((content, found, set(match_decisions(found, session.image(content).decisions).values())))
        return rows


def _opened(path: Path) -> Session | EngineError:
    try:
        return Session.open(path)
    except EngineError as error:
        return error
