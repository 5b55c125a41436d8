"""Exporting in the background: which images with which boxes, how far it is, and what it did."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path

from PIL.Image import Image as PixelImage
from PyQt5.QtCore import QObject, pyqtSignal

from desktop.background import BackgroundWork
from desktop.viewer_state import ViewerState
from engine.detect.detection import Detections, nothing_found
from engine.engine import Engine, OpenedImage
from engine.errors import EngineError
from engine.export.classes import ClassTable
from engine.export.format import ExportFormat
from engine.export.item import Choice, ExportItem
from engine.export.job import ExportSummary, Skipped, export_items
from engine.export.places import Place, places_of
from engine.image.source import Source
from engine.review.decision import Decision
from engine.review.image_review import ImageReview
from engine.review.merge import Reviewed, review
from engine.review.session import Session

PROGRESS_EVERY = 10
"""Images between two reports."""


class Scope(Enum):
    """Which images an export takes."""

    IMAGE = auto()
    SELECTION = auto()
    SESSION = auto()


@dataclass(frozen=True)
class ExportWish:
    """What the user wants to export.

    Attributes:
        format: In which format.
        scope: Which images.
        choice: Which of their boxes.
        target: The file or folder to write.
    """

    format: ExportFormat
    scope: Scope
    choice: Choice
    target: Path


@dataclass(frozen=True, eq=False)
class Candidate:
    """An image that may be exported.

    Attributes:
        source: Where it comes from.
        content: Its content hash; empty where it was never read.
        image: The image itself, where it is open.
    """

    source: Source
    content: str
    image: OpenedImage | None = None


@dataclass(frozen=True, eq=False)
class Images:
    """Which images to export.

    Attributes:
        listed: All of the session: they keep their names whichever of them are exported.
        wanted: Places in it.
    """

    listed: Sequence[Candidate]
    wanted: Sequence[int]


class Exporter(QObject):
    """Runs one export after the other.

    Signals:
        progressed(int, int): Images done, of how many.
        finished(ExportSummary): What the export did.
        failed(EngineError): Why it could not.
        rested: Nothing is exported any more.
    """

    progressed = pyqtSignal(int, int)
    finished = pyqtSignal(object)
    failed = pyqtSignal(object)
    rested = pyqtSignal()

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._cancelled = threading.Event()
        self._work = BackgroundWork(self)
        self._work.finished.connect(self._on_finished)
        self._work.failed.connect(self._on_failed)
        self._running = 0

    @property
    def is_busy(self) -> bool:
        """Whether anything is being exported."""
        return self._running > 0

    def start(self, wish: ExportWish, images: Images, state: ViewerState, session: Session | None) -> None:
        """Export images as `state` chooses; one of the signals follows."""
        self._cancelled.clear()
        self._running += 1
        self._work.run(lambda: self._export(wish, images, state, session))

    def cancel(self) -> None:
        """End what runs; files that were written stay."""
        self._cancelled.set()

    def stop(self) -> None:
        """Cancel, and wait until it has ended."""
        self.cancel()
        self._work.wait()
        self._running = 0

    def _on_finished(self, summary: ExportSummary) -> None:
        self.finished.emit(summary)
        self._rest()

    def _on_failed(self, error: EngineError) -> None:
        self.failed.emit(error)
        self._rest()

    def _rest(self) -> None:
        self._running = max(self._running - 1, 0)
        if not self._running:
            self.rested.emit()

    def _export(self, wish: ExportWish, images: Images, state: ViewerState, session: Session | None) -> ExportSummary:
        known = _Known(self._engine, state, session)
        places = places_of([each.source for each in images.listed])
        passed_over: list[Skipped] = []
        chosen: list[tuple[Candidate, Place]] = []
        for at in images.wanted:
            if self._cancelled.is_set():
                break
            each = images.listed[at]
            if known.has(each):
                chosen.append((each, places[at]))
            else:
                reason = EngineError("not_detected", "Nothing was detected in it yet.")
                passed_over.append(Skipped(each.source.name, reason))
        if not chosen and not self._cancelled.is_set():
            raise EngineError("nothing_to_export", "There is nothing to export yet: detect in the images first.")

        def items() -> Iterator[ExportItem]:
            for each, place in chosen:
                try:
                    found, reviewed = known.of(each)
                except EngineError as error:
                    passed_over.append(Skipped(each.source.name, error))
                    continue
                yield ExportItem.of_reviewed(
                    each.source,
                    place,
                    reviewed,
                    wish.choice,
                    found=found,
                    chosen=state.chosen,
                    pixels=lambda each=each: known.pixels(each),  # type: ignore[misc]
                )

        def progress(done: int) -> None:
            if done % PROGRESS_EVERY == 0 or done == len(chosen):
                self.progressed.emit(done, len(chosen))

        summary = export_items(
            wish.format,
            items(),
            wish.target,
            known.classes(),
            progress=progress,
            cancelled=self._cancelled.is_set,
        )
        return replace(summary, skipped=(*summary.skipped, *passed_over))


class _Known:
    """What is known of the images: from the window's state for the open one, else from the session's file."""

    def __init__(self, engine: Engine, state: ViewerState, session: Session | None) -> None:
        self._engine = engine
        self._state = state
        self._session = session
        self._fingerprint = "" if session is None else engine.fingerprint(state.model)
        self._contents: frozenset[str] = frozenset() if session is None else session.decided()

    def has(self, candidate: Candidate) -> bool:
        """Whether the image was detected in, or something was decided about it."""
        return candidate.content in self._contents or self._found(candidate) is not None

    def of(self, candidate: Candidate) -> tuple[Detections, Reviewed]:
        """Every detection of an image, and what is shown of it."""
        found = self._found(candidate)
        if found is None:
            found = nothing_found(*self.pixels(candidate).size)
        decided = self._decided(candidate)
        return found, review(found, decided.decisions, self._state.chosen, self._state.refinement)

    def pixels(self, candidate: Candidate) -> PixelImage:
        """The image, opened if it is not."""
        return (candidate.image or self._engine.open(candidate.source)).pixels

    def classes(self) -> ClassTable:
        """The model's classes, and behind them those that people gave, in the order in which they first did."""
        reviews = [self._state.decided] if self._session is None else (kept for _, kept in self._session.all_reviews())
        given = sorted(_given(reviews), key=lambda decision: decision.id)
        return ClassTable.of(self._names(), [decision.label for decision in given])

    def _names(self) -> Mapping[int, str]:
        if self._state.detections is not None:
            return self._state.detections.names
        found = None if self._session is None else next(self._session.all_detections(self._fingerprint), None)
        return {} if found is None else found[1].names

    def _found(self, candidate: Candidate) -> Detections | None:
        if candidate.image is not None and candidate.image is self._state.image:
            return self._state.detections
        if self._session is None or not candidate.content:
            return None
        found = self._session.detections(candidate.content, self._fingerprint)
        return None if found is None else replace(found, model=self._state.model)

    def _decided(self, candidate: Candidate) -> ImageReview:
        if candidate.image is not None and candidate.image is self._state.image:
            return self._state.decided
        if self._session is None or not candidate.content:
            return ImageReview()
        return self._session.image(candidate.content)


def _given(reviews: Iterable[ImageReview]) -> Iterator[Decision]:
    """The decisions in which a person gave a class."""
    for kept in reviews:
        yield from (each for each in kept.decisions if each.original is None or each.relabelled)
