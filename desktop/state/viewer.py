"""What the window shows, as one frozen value; each change is a pure function to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from desktop.state.look import Look
from desktop.state.received import newest
from engine.detect.detection import Detections, Filter, nothing_found
from engine.detect.tiling import Pace, Tiling
from engine.engine import OpenedImage
from engine.image.source import Source
from engine.review.image_review import ImageReview
from engine.review.merge import Reviewed, review
from engine.review.refine import Refinement
from engine.review.tally import NO_SCORES, SessionScores

WINDOW_THRESHOLD = 0.5


class Stage(Enum):
    """What the window is waiting for."""

    LISTING = "listing"
    OPENING = "opening"
    LOADING_MODEL = "loading_model"
    DETECTING = "detecting"


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done about a message.

    Attributes:
        text: What the button says, in the window's language.
        do: What happens then.
    """

    text: str
    do: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence for the message bar.

    Attributes:
        text: The sentence, in the window's language.
        is_error: Whether something failed.
        offer: What can be done about it, if anything.
    """

    text: str
    is_error: bool = True
    offer: Offer | None = None


REVIEWED, UNREADABLE = 1, 2
"""Bits of a place's mark."""

UNKNOWN_COUNT = -1


@dataclass(frozen=True, eq=False)
class Marks:
    """What the list of images tells of each, by its place.

    Attributes:
        flags: uint8 [N]: REVIEWED, UNREADABLE or both.
        counts: int32 [N]: how many detections are shown in it; UNKNOWN_COUNT before the model was asked.
    """

    flags: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int32]

    @classmethod
    def of_none(cls, count: int) -> Marks:
        """Nothing known of `count` images."""
        return cls(np.zeros(count, np.uint8), np.full(count, UNKNOWN_COUNT, np.int32))

    @property
    def reviewed_count(self) -> int:
        """How many images are reviewed."""
        return int(np.count_nonzero(self.flags & REVIEWED))


@dataclass(frozen=True)
class SessionState:
    """The session whose decisions are shown.

    Attributes:
        name: What to call it.
        is_read_only: Whether another window has it, so that nothing can be decided here.
        undo, redo: What would be undone or done again, in the window's language; empty where nothing would.
    """

    name: str = ""
    is_read_only: bool = False
    undo: str = ""
    redo: str = ""


@dataclass(frozen=True, eq=False)
class ViewerState:
    """Everything the panels and the canvas show.

    Attributes:
        models: Names in the catalog.
        model: The one that is selected.
        chosen: Threshold, top_k and labels.
        sources: The images that were opened together, then those that clients of the API sent.
        received: How many clients sent.
        at: Which of them was asked for last; the one that is shown, unless it cannot be opened.
        image: The image that is shown.
        unreadable: Why the image of the list that was asked for cannot be shown; empty if it can.
        detections: Every detection in it by the model, or `None` before it was asked.
        selected: The `Detection.index` of the selected boxes.
        stage: What is being waited for.
        message: What the message bar says.
        session_tokens: Tokens of all detections since the window opened.
        refinement: What chooses beside threshold and top_k.
        decided: What was decided about the image.
        marks: What the list of images tells, by place; as many as there are sources.
        scores: Of all known detections of the session.
        session: The session itself.
        tiling: How large images are cut into tiles, if they are.
        pace: What tiles of the image cost with the model, once that is known.
        tile: Which tile is looked at, from 1, and how many there are, while the model detects in tiles.
    """

    models: tuple[str, ...] = ("starter",)
    model: str = "starter"
    chosen: Filter = field(default_factory=lambda: Filter(threshold=WINDOW_THRESHOLD))
    sources: tuple[Source, ...] = ()
    received: int = 0
    at: int | None = None
    image: OpenedImage | None = None
    unreadable: str = ""
    detections: Detections | None = None
    selected: frozenset[int] = frozenset()
    stage: Stage | None = None
    message: Message | None = None
    session_tokens: int = 0
    refinement: Refinement = field(default_factory=Refinement)
    decided: ImageReview = field(default_factory=ImageReview)
    marks: Marks = field(default_factory=lambda: Marks.of_none(0))
    scores: SessionScores = NO_SCORES
    session: SessionState = field(default_factory=SessionState)
    tiling: Tiling | None = None
    pace: Pace | None = None
    tile: tuple[int, int] | None = None

    @property
    def look(self) -> Look:
        """How images are looked at."""
        return Look(self.model, self.tiling)

    @cached_property
    def reviewed(self) -> Reviewed | None:
        """What is shown of the image, with what was decided about it; decisions do not wait for the model."""
        found = self.detections
        if found is None and self.image is not None and self.decided.decisions:
            found = nothing_found(*self.image.pixels.size)
        if found is None:
            return None
        return review(found, self.decided.decisions, self.chosen, self.refinement)

    @property
    def seen(self) -> Reviewed | None:
        """What is shown of the image, even if it is nothing yet."""
        if self.image is None:
            return None
        return self.reviewed or Reviewed(nothing_found(*self.image.pixels.size))

    @property
    def shown(self) -> Detections | None:
        """The detections that pass, and those that were decided."""
        return None if self.reviewed is None else self.reviewed.shown

    @property
    def is_elsewhere(self) -> bool:
        """Whether the place of the list that was asked for is not that of the shown image."""
        return self.at is not None and (self.image is None or self.sources[self.at] is not self.image.source)

    @property
    def inbox(self) -> tuple[Source, ...]:
        """The images that clients sent."""
        return self.sources[len(self.sources) - self.received :]

    @property
    def hidden_count(self) -> int:
        """How many detections the filter holds back."""
        if self.detections is None or self.shown is None:
            return 0
        return len(self.detections) - len(self.shown)


def choose_threshold(state: ViewerState, threshold: float) -> ViewerState:
    """Another threshold, 0..1; what is no longer shown is no longer selected."""
    return _refiltered(state, replace(state.chosen, threshold=threshold))


def choose_top_k(state: ViewerState, top_k: int | None) -> ViewerState:
    """Another top_k; `None` shows all."""
    return _refiltered(state, replace(state.chosen, top_k=top_k))


def refine(state: ViewerState, refinement: Refinement) -> ViewerState:
    """Another refinement; what is no longer shown is no longer selected."""
    after = replace(state, refinement=refinement)
    return replace(after, selected=after.selected & _shown_indices(after))


def choose_model(state: ViewerState, model: str, models: Sequence[str]) -> ViewerState:
    """Another model; the detections of the former one stay until it has answered."""
    return replace(state, model=model, models=tuple(models), pace=None)


def choose_tiling(state: ViewerState, tiling: Tiling | None) -> ViewerState:
    """Cut large images otherwise; the former detections stay until the model has answered."""
    return replace(state, tiling=tiling)


def paced(state: ViewerState, pace: Pace) -> ViewerState:
    """It is known what tiles cost."""
    return replace(state, pace=pace)


def at_tile(state: ViewerState, at: int, of: int) -> ViewerState:
    """Another tile of the image is looked at."""
    return replace(state, tile=(at, of))


def select(state: ViewerState, indices: frozenset[int]) -> ViewerState:
    """Select those of `indices` that are shown."""
    return replace(state, selected=indices & _shown_indices(state))


def waiting(state: ViewerState, stage: Stage | None) -> ViewerState:
    """Wait for something, or for nothing any more."""
    return replace(state, stage=stage, tile=None)


def listed_more(state: ViewerState, sources: Sequence[Source]) -> ViewerState:
    """More images behind those that were opened together; the place of the shown one stays what it is."""
    first = len(state.sources) - state.received
    at = state.at if state.at is None or state.at < first else state.at + len(sources)
    return replace(state, sources=(*state.sources[:first], *sources, *state.inbox), at=at)


def listed(state: ViewerState, sources: Sequence[Source]) -> ViewerState:
    """Other images to go through; those that clients sent stay behind them."""
    return replace(state, sources=(*sources, *state.inbox), at=None)


def arrived(state: ViewerState, sources: Sequence[Source]) -> ViewerState:
    """Clients sent more images: they go to the end; the oldest make room, but not the one that is shown."""
    shown = None if state.at is None else state.sources[state.at]
    inbox = newest((*state.inbox, *sources), shown)
    return _with_inbox(state, inbox)


def emptied(state: ViewerState) -> ViewerState:
    """What clients sent is no longer in the list; an image of theirs stays on the canvas."""
    return _with_inbox(state, ())


def pointed(state: ViewerState, at: int | None) -> ViewerState:
    """Another place in the list, its image not opened yet."""
    return replace(state, at=at)


def opened(state: ViewerState, image: OpenedImage, at: int | None) -> ViewerState:
    """Another image, nothing detected in it yet."""
    return replace(
        state,
        image=image,
        at=at,
        unreadable="",
        detections=None,
        selected=frozenset(),
        decided=ImageReview(),
        message=None,
        pace=None,
    )


def not_opened(state: ViewerState, reason: str) -> ViewerState:
    """The image of the list that was asked for cannot be shown: neither is the former one, which is not it."""
    return replace(
        state,
        image=None,
        unreadable=reason,
        detections=None,
        selected=frozenset(),
        decided=ImageReview(),
        stage=None,
        message=None,
    )


def detected(state: ViewerState, detections: Detections) -> ViewerState:
    """The model has answered."""
    return replace(recalled(state, detections), session_tokens=state.session_tokens + detections.tokens)


def recalled(state: ViewerState, detections: Detections) -> ViewerState:
    """What is in the image was known already."""
    return replace(state, detections=detections, selected=frozenset(), stage=None, message=None)


def told(state: ViewerState, message: Message | None) -> ViewerState:
    """Another sentence in the message bar, or none."""
    return replace(state, message=message)


def _with_inbox(state: ViewerState, inbox: tuple[Source, ...]) -> ViewerState:
    sources = (*state.sources[: len(state.sources) - state.received], *inbox)
    at = None if state.at is None else place_of(state.sources[state.at], sources)
    return replace(state, sources=sources, received=len(inbox), at=at)


def place_of(source: Source, sources: Sequence[Source]) -> int | None:
    """Where an image is in a list, if it is there."""
    return next((at for at, each in enumerate(sources) if each is source), None)


def _refiltered(state: ViewerState, chosen: Filter) -> ViewerState:
    after = replace(state, chosen=chosen)
    return replace(after, selected=after.selected & _shown_indices(after))


def _shown_indices(state: ViewerState) -> frozenset[int]:
    return frozenset() if state.shown is None else frozenset(state.shown.indices.tolist())
