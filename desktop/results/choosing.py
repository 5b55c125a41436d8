"""What the user can do to choose which detections are shown and selected."""

from __future__ import annotations

from desktop.state.holder import StateHolder
from desktop.state.viewer import choose_threshold, choose_top_k, refine, select
from engine.review.refine import Refinement

THRESHOLD_STEP = 0.05


class Choosing:
    """Changes threshold, top_k, refinement and selection; a model never runs for it."""

    def __init__(self, holder: StateHolder) -> None:
        self._holder = holder

    def set_threshold(self, threshold: float) -> None:
        """Show only scores greater than this, 0..1."""
        if threshold != self._holder.state.chosen.threshold:
            self._holder.set(choose_threshold(self._holder.state, threshold))

    def raise_threshold(self) -> None:
        """Raise the threshold by THRESHOLD_STEP."""
        self._step_threshold(THRESHOLD_STEP)

    def lower_threshold(self) -> None:
        """Lower the threshold by THRESHOLD_STEP."""
        self._step_threshold(-THRESHOLD_STEP)

    def set_top_k(self, top_k: int | None) -> None:
        """Show at most this many detections; `None` shows all."""
        if top_k != self._holder.state.chosen.top_k:
            self._holder.set(choose_top_k(self._holder.state, top_k))

    def set_refinement(self, refinement: Refinement) -> None:
        """Choose by class, and suppress duplicates."""
        if refinement != self._holder.state.refinement:
            self._holder.set(refine(self._holder.state, refinement))

    def select(self, indices: frozenset[int]) -> None:
        """Select detections by their index."""
        if indices != self._holder.state.selected:
            self._holder.set(select(self._holder.state, indices))

    def select_all(self) -> None:
        """Select every shown detection."""
        shown = self._holder.state.shown
        self.select(frozenset() if shown is None else frozenset(shown.indices.tolist()))

    def select_next(self, step: int) -> int | None:
        """Select the detection `step` places further by score than the first selected one, and return its index."""
        shown, selected = self._holder.state.shown, self._holder.state.selected
        if shown is None or not len(shown):
            return None
        indices = shown.indices.tolist()
        places = [place for place, index in enumerate(indices) if index in selected]
        index: int = indices[(places[0] + step) % len(indices) if places else 0]
        self.select(frozenset({index}))
        return index

    def _step_threshold(self, step: float) -> None:
        threshold = self._holder.state.chosen.threshold + step
        self.set_threshold(round(min(1.0, max(0.0, threshold)), 2))
