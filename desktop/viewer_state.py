"""What the window shows, as one frozen value; each change is a pure function to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from engine.detect.detection import Detections, Filter
from engine.engine import OpenedImage
from engine.image.source import Source

WINDOW_THRESHOLD = 0.5


class Stage(Enum):
    """What the window is waiting for."""

    LISTING = "listing"
    OPENING = "opening"
    LOADING_MODEL = "loading_model"
    DETECTING = "detecting"


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence for the message bar.

    Attributes:
        text: The sentence, in the window's language.
        is_error: Whether something failed.
    """

    text: str
    is_error: bool = True


@dataclass(frozen=True, eq=False)
class ViewerState:
    """Everything the panels and the canvas show.

    Attributes:
        models: Names in the catalog.
        model: The one that is selected.
        chosen: Threshold, top_k and labels.
        sources: The images that were opened together.
        at: Which of them was asked for last; the one that is shown, unless it cannot be opened.
        image: The image that is shown.
        detections: Every detection in it by the model, or `None` before it was asked.
        selected: The `Detection.index` of the selected boxes.
        stage: What is being waited for.
        message: What the message bar says.
        session_tokens: Tokens of all detections since the window opened.
    """

    models: tuple[str, ...] = ("starter",)
    model: str = "starter"
    chosen: Filter = field(default_factory=lambda: Filter(threshold=WINDOW_THRESHOLD))
    sources: tuple[Source, ...] = ()
    at: int | None = None
    image: OpenedImage | None = None
    detections: Detections | None = None
    selected: frozenset[int] = frozenset()
    stage: Stage | None = None
    message: Message | None = None
    session_tokens: int = 0

    @cached_property
    def shown(self) -> Detections | None:
        """The detections that the filter lets through."""
        return None if self.detections is None else self.detections.keep(self.chosen)

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


def choose_model(state: ViewerState, model: str, models: Sequence[str]) -> ViewerState:
    """Another model; the detections of the former one stay until it has answered."""
    return replace(state, model=model, models=tuple(models))


def select(state: ViewerState, indices: frozenset[int]) -> ViewerState:
    """Select those of `indices` that are shown."""
    return replace(state, selected=indices & _shown_indices(state))


def waiting(state: ViewerState, stage: Stage | None) -> ViewerState:
    """Wait for something, or for nothing any more."""
    return replace(state, stage=stage)


def listed(state: ViewerState, sources: Sequence[Source]) -> ViewerState:
    """Other images to go through."""
    return replace(state, sources=tuple(sources), at=None)


def pointed(state: ViewerState, at: int) -> ViewerState:
    """Another place in the list, its image not opened yet."""
    return replace(state, at=at)


def opened(state: ViewerState, image: OpenedImage, at: int | None) -> ViewerState:
    """Another image, nothing detected in it yet."""
    return replace(state, image=image, at=at, detections=None, selected=frozenset(), message=None)


def detected(state: ViewerState, detections: Detections) -> ViewerState:
    """The model has answered."""
    return replace(
        state,
        detections=detections,
        selected=frozenset(),
        stage=None,
        message=None,
        session_tokens=state.session_tokens + detections.tokens,
    )


def told(state: ViewerState, message: Message | None) -> ViewerState:
    """Another sentence in the message bar, or none."""
    return replace(state, message=message)


def _refiltered(state: ViewerState, chosen: Filter) -> ViewerState:
    after = replace(state, chosen=chosen)
    return replace(after, selected=after.selected & _shown_indices(after))


def _shown_indices(state: ViewerState) -> frozenset[int]:
    return frozenset() if state.shown is None else frozenset(state.shown.indices.tolist())
