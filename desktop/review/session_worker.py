"""Reading and writing sessions in another thread, one task after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.review.image_list import ImageList
from desktop.state.detection_setup import DetectionSetup
from desktop.work.task_runner import Task, TaskRunner
from engine.detect.detection import Detections
from engine.detect.tiling import Tiling
from engine.errors import EngineError
from engine.image.source import Source
from engine.review.merge import match_decisions
from engine.review.session import KnownImage, Session

_BATCH = 500
"""Images looked up in one task: the window takes over each result between two events."""

Found = Sequence[tuple[str, Detections, Collection[int]]]
"""Content hash, detections, and the indices of those that were decided about."""


@dataclass(frozen=True, eq=False)
class Lookup:
    """What a session knows of some images.

    Attributes:
        images: The list that they were looked up for.
        first: The number of the first of them.
        locations: Their locations, in the order of the list.
        records: What is known of each location.
        found: Their detections.
        labels: Classes that people gave in them.
        setup: How the detections were made.
    """

    images: ImageList
    first: int = 0
    locations: Sequence[str] = ()
    records: Mapping[str, KnownImage] = field(default_factory=dict)
    found: Found = ()
    labels: Sequence[str] = ()
    setup: DetectionSetup = field(default_factory=lambda: DetectionSetup(""))


class SessionWorker(QObject):
    """Runs one task after the other, so that a session is closed after its last use.

    Signals:
        opened(Path, Session | EngineError): The session at a path, or why it cannot be opened.
        looked_up(Lookup): What is known of some images.
        failed(EngineError): Something could not be saved.
    """

    opened = pyqtSignal(object, object)
    looked_up = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(
        self,
        fingerprint: Callable[[str, Tiling | None], str],
        fingerprint_of: Callable[[Detections], str],
        parent: QObject | None = None,
    ) -> None:
        """Start no thread yet.

        Args:
            fingerprint: Returns the fingerprint of a model and tiling as they are now.
            fingerprint_of: Returns the fingerprint of the model that made detections, as it was then.
            parent: Qt's.
        """
        super().__init__(parent)
        self._fingerprint = fingerprint
        self._fingerprint_of = fingerprint_of
        self._tasks = TaskRunner("sessions", self)
        self._tasks.failed.connect(self.failed)

    def open(self, path: Path) -> None:
        """Open a session."""
        done = partial(self.opened.emit, path)
        self._tasks.run(lambda _: Session.open(path), done, failed=done)

    def close(self, session: Session) -> None:
        """Close a session after everything that was asked of it before."""
        self._tasks.run(lambda _: session.close())

    def look_up(
        self, session: Session, images: ImageList, first: int, locations: Sequence[str], setup: DetectionSetup
    ) -> None:
        """Look up images by location; the results come in batches."""
        for at in range(0, len(locations), _BATCH):
            work = partial(self._known, session, images, first + at, locations[at : at + _BATCH], setup)
            self._tasks.run(work, self.looked_up.emit)

    def look_up_contents(
        self, session: Session, images: ImageList, contents: Iterable[str], setup: DetectionSetup
    ) -> None:
        """Look up the detections of images by content hash; the results come in batches."""
        rest = iter(contents)
        while batch := list(islice(rest, _BATCH)):
            self._tasks.run(partial(self._found_in, session, images, batch, setup), self.looked_up.emit)

    def save_place(self, session: Session, source: Source, content_hash: str, size: tuple[int, int]) -> None:
        """Save where an image is, and its width and height in pixels."""
        if source.kind in ("path", "url") and not session.is_read_only:
            self._tasks.run(lambda _: session.note_image(source.location, content_hash, source.name, *size))

    def save_unreadable(self, session: Session, location: str, reason: str) -> None:
        """Save why an image cannot be read."""
        if not session.is_read_only:
            self._tasks.run(lambda _: session.note_unreadable(location, reason))

    def save_detections(self, session: Session, content_hash: str, found: Detections) -> None:
        """Save what a model found."""
        if not session.is_read_only:
            self._tasks.run(lambda _: self._save(session, content_hash, found))

    def wait(self) -> None:
        """Wait until every task has ended."""
        self._tasks.wait()

    def _save(self, session: Session, content_hash: str, found: Detections) -> None:
        try:
            fingerprint = self._fingerprint_of(found)
        except EngineError:
            return  # the model was renamed or removed meanwhile, which is no failure of the session
        session.put_detections(content_hash, fingerprint, found)

    def _known(
        self, session: Session, images: ImageList, first: int, locations: Sequence[str], setup: DetectionSetup, _: Task
    ) -> Lookup:
        records = session.known_images(locations)
        contents = {record.content_hash for record in records.values()} - {""}
        found = self._found(session, contents, setup)
        labels = {
            decision.label
            for content in contents
            for decision in session.image(content).decisions
            if decision.original is None or decision.relabelled
        }
        return Lookup(images, first, locations, records, found, sorted(labels), setup)

    def _found_in(
        self, session: Session, images: ImageList, contents: Collection[str], setup: DetectionSetup, _: Task
    ) -> Lookup:
        return Lookup(images, found=self._found(session, contents, setup), setup=setup)

    def _found(self, session: Session, contents: Collection[str], setup: DetectionSetup) -> Found:
        try:
            fingerprint = self._fingerprint(setup.model, setup.tiling)
        except EngineError:
            return []  # why the model cannot be used is shown when it is asked
        rows = []
        for content in contents:
            found = session.detections(content, fingerprint)
            if found is not None:
                found = replace(found, model=setup.model, tiling=setup.tiling)
                rows.append((content, found, set(match_decisions(found, session.image(content).decisions).values())))
        return rows
