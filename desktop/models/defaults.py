"""Applying a model's own threshold, top_k and classes while it is in use."""

from __future__ import annotations

from dataclasses import dataclass, replace

from desktop.state.viewer import ViewerState, choose_threshold, choose_top_k, refine
from engine.detect.detection import Filter
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import Defaults
from engine.review.refine import Refinement


@dataclass(frozen=True)
class _Before:
    """The filters before a model's defaults were applied, and after."""

    chosen: Filter
    refinement: Refinement
    hidden: frozenset[str]
    then_chosen: Filter
    then_refinement: Refinement


class DefaultsInUse:
    """Applies the defaults of the model in use, and takes them back afterwards; the user's own changes stay."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._defaults = Defaults()
        self._threshold: float | None = None
        self._top_k: int | None = None
        self._hidden: frozenset[str] = frozenset()
        self._waits_for_names = False
        self._before: _Before | None = None

    def choose(self, state: ViewerState, model: str) -> ViewerState:
        """Return the state with a chosen model's threshold and top_k; its classes follow with its first detections."""
        hidden, after = self._hidden, self._taken_back(state)
        self._defaults = defaults = self._catalog.defaults(model)
        self._threshold, self._top_k = after.chosen.threshold, after.chosen.top_k
        self._waits_for_names = defaults.labels is not None
        if defaults.threshold is not None:
            after = choose_threshold(after, defaults.threshold)
        if defaults.top_k is not None:
            after = choose_top_k(after, defaults.top_k)
        self._before = _Before(state.chosen, state.refinement, hidden, after.chosen, after.refinement)
        return after

    def go_back(self, state: ViewerState, model: str) -> ViewerState:
        """Return the state for the former model, because the chosen one cannot be used."""
        before, self._before = self._before, None
        self._defaults, self._waits_for_names = self._catalog.defaults(model), False
        if before is None:
            return state
        chosen = before.chosen if state.chosen == before.then_chosen else state.chosen
        refinement = state.refinement
        if refinement == before.then_refinement:
            refinement, self._hidden = before.refinement, before.hidden
        return refine(replace(state, chosen=chosen), refinement)

    def answered(self, state: ViewerState) -> ViewerState | None:
        """Return the state with the default classes once their names are known; `None` where nothing changes."""
        found = state.detections
        if not self._waits_for_names or found is None or found.model != state.model:
            return None
        self._waits_for_names = False
        wanted = self._defaults.labels or frozenset()
        self._hidden = frozenset(found.names.values()) - wanted
        return refine(state, replace(state.refinement, hidden=state.refinement.hidden | self._hidden))

    def _taken_back(self, state: ViewerState) -> ViewerState:
        """Return the state without the former model's defaults, but with what the user changed since."""
        former = self._defaults
        if former.threshold is not None and state.chosen.threshold == former.threshold and self._threshold is not None:
            state = choose_threshold(state, self._threshold)
        if former.top_k is not None and state.chosen.top_k == former.top_k:
            state = choose_top_k(state, self._top_k)
        if self._hidden:
            state = refine(state, replace(state.refinement, hidden=state.refinement.hidden - self._hidden))
            self._hidden = frozenset()
        return state
