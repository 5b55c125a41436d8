"""Detections, decisions and classes of the images of an export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from PIL.Image import Image as PixelImage

from desktop.state.viewer import ViewerState
from engine.detect.detection import Detections, nothing_found
from engine.engine import Engine
from engine.export.classes import ExportClasses
from engine.image.opened import OpenedImage
from engine.image.source import Source
from engine.review.decision import Decision
from engine.review.image_review import ImageReview
from engine.review.merge import Reviewed, merge_decisions
from engine.review.session import Session


@dataclass(frozen=True, eq=False)
class Candidate:
    """An image that may be exported.

    Attributes:
        source: Its source.
        content: Its content hash; empty where it was not read yet.
        image: The opened image; `None` where it is not open.
        found: Its detections where no session keeps them: it was pasted, or a client of the API sent it.
    """

    source: Source
    content: str
    image: OpenedImage | None = None
    found: Detections | None = None


class ExportData:
    """Reads from the state for the shown image, from the candidate for one without a file, else from the session."""

    def __init__(self, engine: Engine, state: ViewerState, session: Session | None) -> None:
        self._engine = engine
        self._state = state
        self._session = session
        self._fingerprint = "" if session is None else engine.known.key(state.model, state.tiling)
        self._contents: frozenset[str] = frozenset() if session is None else session.decided()

    def has(self, candidate: Candidate) -> bool:
        """Return whether an image has detections or decisions."""
        return candidate.content in self._contents or self._found(candidate) is not None

    def of(self, candidate: Candidate) -> tuple[Detections, Reviewed]:
        """Return every detection of an image, and the reviewed ones that pass the filters."""
        found = self._found(candidate)
        if found is None:
            found = nothing_found(*self.pixels(candidate).size)
        return found, self._reviewed(found, self._decided(candidate).decisions)

    def pixels(self, candidate: Candidate) -> PixelImage:
        """Return the image's pixels, opening it if needed."""
        return (candidate.image or self._engine.open(candidate.source)).pixels

    def classes(self, candidates: Sequence[Candidate]) -> ExportClasses:
        """Return the model's classes, then the classes that people gave, in the order of their decisions.

        A client of the API may have used another model: the classes of its detections come last.
        """
        reviews = [self._state.decided] if self._session is None else (kept for _, kept in self._session.all_reviews())
        given = sorted(_with_given_class(reviews), key=lambda decision: decision.id)
        known = [found for found in map(self._found_here, candidates) if found is not None]
        others = (self._reviewed(found).shown for found in known if found.model != self._state.model)
        labels = [detection.label for shown in others for detection in shown]
        return ExportClasses.of(self._names(known), [*(decision.label for decision in given), *labels])

    def _names(self, known: Iterable[Detections]) -> Mapping[int, str]:
        """Return the class names of the model in use, else of the model that detected last."""
        last = self._state.detections
        here = [*known] if last is None else [last, *known]
        found = next((each for each in here if each.model == self._state.model), None)
        if found is None and self._session is not None:
            found = next((each for _, each in self._session.all_detections(self._fingerprint)), last)
        return {} if found is None else found.names

    def _found(self, candidate: Candidate) -> Detections | None:
        here = self._found_here(candidate)
        if here is not None or self._is_open(candidate) or self._session is None or not candidate.content:
            return here
        found = self._session.detections(candidate.content, self._fingerprint)
        return None if found is None else replace(found, model=self._state.model, tiling=self._state.tiling)

    def _found_here(self, candidate: Candidate) -> Detections | None:
        return self._state.detections if self._is_open(candidate) else candidate.found

    def _decided(self, candidate: Candidate) -> ImageReview:
        if self._is_open(candidate):
            return self._state.decided
        if self._session is None or not candidate.content:
            return ImageReview()
        return self._session.image(candidate.content)

    def _is_open(self, candidate: Candidate) -> bool:
        return candidate.image is not None and candidate.image is self._state.image

    def _reviewed(self, found: Detections, decisions: Sequence[Decision] = ()) -> Reviewed:
        return merge_decisions(found, decisions, self._state.chosen, self._state.refinement)


def _with_given_class(reviews: Iterable[ImageReview]) -> Iterator[Decision]:
    """Yield the decisions in which a person gave a class."""
    for kept in reviews:
        yield from (each for each in kept.decisions if each.original is None or each.relabelled)
