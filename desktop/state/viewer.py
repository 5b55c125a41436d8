"""The state of the viewer, one frozen value, and its transitions: pure functions from one state to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from desktop.state.client_images import newest
from desktop.state.detection_setup import DetectionSetup
from engine.detect.detection import Detections, Filter, nothing_found
from engine.detect.tiling import Pace, Tiling
from engine.image.opened import OpenedImage
from engine.image.source import Source
from engine.review.image_review import ImageReview
from engine.review.merge import Reviewed, merge_decisions
from engine.review.refine import Refinement
from engine.review.tally import NO_SCORES, SessionScores

WINDOW_THRESHOLD = 0.5
MAX_TOP_K = 9999


class Stage(Enum):
    """What the user waits for."""

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
"""Bits of `Marks.flags`."""

UNKNOWN_COUNT = -1


@dataclass(frozen=True, eq=False)
class Marks:
    """What the list of images shows beside each name, by row.

    Attributes:
        flags: uint8 [N]: REVIEWED, UNREADABLE or both.
        counts: int32 [N]: how many detections are shown in it; UNKNOWN_COUNT before the model was asked.
    """

    flags: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int32]

    @classmethod
    def of_none(cls, count: int) -> Marks:
        """Return the marks of `count` images of which nothing is known."""
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
        sources: The images of the list: those that were opened together, then those that clients of the API sent.
        inbox_size: How many of them clients sent.
        at: The row that was asked for last; it is shown, unless it cannot be opened.
        image: The image that is shown.
        unreadable: Why the image of the list that was asked for cannot be shown; empty if it can.
        detections: Every detection in it by the model, or `None` before it was asked.
        selected: The `Detection.index` of the selected boxes.
        stage: What is being waited for.
        message: What the message bar says.
        session_tokens: Tokens of all detections since the window opened.
        refinement: What chooses beside threshold and top_k.
        decided: What was decided about the image.
        marks: Of the images in the list; derived.
        scores: Of all known detections of the session; derived.
        session: The session itself; derived.
        tiling: How large images are cut into tiles, if they are.
        pace: What tiles of the image cost with the model, once that is known.
        conversion: Percent of the conversion of the model for this processor; `None` where none is under way.
        tile: The tile that is being detected in, from 1, and their number, while the model detects in tiles.
    """

    models: tuple[str, ...] = ("starter",)
    model: str = "starter"
    chosen: Filter = field(default_factory=lambda: Filter(threshold=WINDOW_THRESHOLD))
    sources: tuple[Source, ...] = ()
    inbox_size: int = 0
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
    conversion: int | None = None
    tile: tuple[int, int] | None = None

    @property
    def setup(self) -> DetectionSetup:
        """How images are detected in."""
        return DetectionSetup(self.model, self.tiling)

    @cached_property
    def reviewed(self) -> Reviewed | None:
        """The shown detections with the decisions about them; decisions are shown before the model has answered."""
        found = self.detections
        if found is None and self.image is not None and self.decided.decisions:
            found = nothing_found(*self.image.pixels.size)
        if found is None:
            return None
        return merge_decisions(found, self.decided.decisions, self.chosen, self.refinement)

    @property
    def seen(self) -> Reviewed | None:
        """Like `reviewed`, and empty where an image is open of which nothing is known."""
        if self.image is None:
            return None
        return self.reviewed or Reviewed(nothing_found(*self.image.pixels.size))

    @property
    def shown(self) -> Detections | None:
        """The detections that pass, and those that were decided about."""
        return None if self.reviewed is None else self.reviewed.shown

    @property
    def is_elsewhere(self) -> bool:
        """Whether another image of the list than the shown one was asked for."""
        return self.at is not None and (self.image is None or self.sources[self.at] is not self.image.source)

    @property
    def inbox(self) -> tuple[Source, ...]:
        """The images that clients sent."""
        return self.sources[len(self.sources) - self.inbox_size :]

    @property
    def hidden_count(self) -> int:
        """How many detections are not shown."""
        if self.detections is None or self.shown is None:
            return 0
        return len(self.detections) - len(self.shown)


def choose_threshold(state: ViewerState, threshold: float) -> ViewerState:
    """Set the threshold, 0..1; hidden detections are not selected."""
    return _refiltered(state, replace(state.chosen, threshold=threshold))


def choose_top_k(state: ViewerState, top_k: int | None) -> ViewerState:
    """Set top_k; `None` shows all."""
    return _refiltered(state, replace(state.chosen, top_k=top_k))


def refine(state: ViewerState, refinement: Refinement) -> ViewerState:
    """Set the refinement; hidden detections are not selected."""
    after = replace(state, refinement=refinement)
    return replace(after, selected=after.selected & _shown_indices(after))


def choose_model(state: ViewerState, model: str, models: Sequence[str]) -> ViewerState:
    """Set the model; the detections of the former one stay until it has answered."""
    return replace(state, model=model, models=tuple(models), pace=None)


def choose_tiling(state: ViewerState, tiling: Tiling | None) -> ViewerState:
    """Set the tiling; the former detections stay until the model has answered."""
    return replace(state, tiling=tiling)


def paced(state: ViewerState, pace: Pace) -> ViewerState:
    """Set what tiles cost."""
    return replace(state, pace=pace)


def converted(state: ViewerState, percent: int | None) -> ViewerState:
    """Set how far the conversion of the model is."""
    return replace(state, conversion=percent)


def at_tile(state: ViewerState, at: int, of: int) -> ViewerState:
    """Set the tile that is being detected in."""
    return replace(state, tile=(at, of))


def select(state: ViewerState, indices: frozenset[int]) -> ViewerState:
    """Select those of `indices` that are shown."""
    return replace(state, selected=indices & _shown_indices(state))


def waiting(state: ViewerState, stage: Stage | None) -> ViewerState:
    """Set what is waited for."""
    return replace(state, stage=stage, tile=None)


def listed_more(state: ViewerState, sources: Sequence[Source]) -> ViewerState:
    """Append to the opened images; the requested image stays the same."""
    first = len(state.sources) - state.inbox_size
    at = state.at if state.at is None or state.at < first else state.at + len(sources)
    return replace(state, sources=(*state.sources[:first], *sources, *state.inbox), at=at)


def listed(state: ViewerState, sources: Sequence[Source]) -> ViewerState:
    """Replace the opened images; client images stay behind them."""
    return replace(state, sources=(*sources, *state.inbox), at=None)


def inbox_extended(state: ViewerState, sources: Sequence[Source]) -> ViewerState:
    """Append client images; the oldest leave where there are too many, but not the one that is shown."""
    shown = None if state.at is None else state.sources[state.at]
    inbox = newest((*state.inbox, *sources), shown)
    return _with_inbox(state, inbox)


def inbox_emptied(state: ViewerState) -> ViewerState:
    """Remove the client images from the list; one that is shown stays on the canvas."""
    return _with_inbox(state, ())


def pointed(state: ViewerState, at: int | None) -> ViewerState:
    """Set the requested row; its image is not open yet."""
    return replace(state, at=at)


def opened(state: ViewerState, image: OpenedImage, at: int | None) -> ViewerState:
    """Show an image in which nothing was detected yet."""
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
    """Show why the requested image cannot be opened, in place of the former image."""
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
    """Show what the model found."""
    return replace(recalled(state, detections), session_tokens=state.session_tokens + detections.tokens)


def recalled(state: ViewerState, detections: Detections) -> ViewerState:
    """Show detections that were known already."""
    return replace(state, detections=detections, selected=frozenset(), stage=None, message=None)


def told(state: ViewerState, message: Message | None) -> ViewerState:
    """Set the message; `None` closes the message bar."""
    return replace(state, message=message)


def _with_inbox(state: ViewerState, inbox: tuple[Source, ...]) -> ViewerState:
    sources = (*state.sources[: len(state.sources) - state.inbox_size], *inbox)
    at = None if state.at is None else row_of(state.sources[state.at], sources)
    return replace(state, sources=sources, inbox_size=len(inbox), at=at)


def row_of(source: Source, sources: Sequence[Source]) -> int | None:
    """Return the row of an image in a list, by identity."""
    return next((at for at, each in enumerate(sources) if each is source), None)


def _refiltered(state: ViewerState, chosen: Filter) -> ViewerState:
    after = replace(state, chosen=chosen)
    return replace(after, selected=after.selected & _shown_indices(after))


def _shown_indices(state: ViewerState) -> frozenset[int]:
    return frozenset() if state.shown is None else frozenset(state.shown.indices.tolist())
