"""The user's position in a session, as its file keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from desktop.state.viewer import WINDOW_THRESHOLD, ViewerState
from engine.detect.tiling import LEAST_SIDE, MOST_SIDE, Tiling
from engine.review.refine import Refinement

Share = Annotated[float, Field(ge=0, le=1)]


class SavedView(BaseModel):
    """What is restored when a session is opened again.

    Attributes:
        location: Of the image that was shown; empty if it was pasted.
        threshold, top_k: As in `Filter`.
        class_thresholds, suppress_iou, across_classes, hidden, solo: As in `Refinement`.
        tile_side: As in `Tiling`; `None` where images are not cut.
    """

    location: str = ""
    threshold: Share = WINDOW_THRESHOLD
    top_k: Annotated[int, Field(ge=1)] | None = None
    class_thresholds: dict[str, Share] = {}
    suppress_iou: Share | None = None
    across_classes: bool = False
    hidden: list[str] = []
    solo: str | None = None
    tile_side: Annotated[int, Field(ge=LEAST_SIDE, le=MOST_SIDE)] | None = None

    @classmethod
    def read(cls, kept: Mapping[str, object]) -> SavedView:
        """Return what a file keeps, or the default where that is not valid."""
        try:
            return cls.model_validate(kept)
        except ValidationError:
            return cls()

    @classmethod
    def of(cls, state: ViewerState) -> SavedView:
        """Return what to keep of a state."""
        source, refinement = None if state.image is None else state.image.source, state.refinement
        if state.unreadable and state.at is not None:
            source = state.sources[state.at]
        return cls(
            location=source.location if source is not None and source.kind in ("path", "url") else "",
            threshold=state.chosen.threshold,
            top_k=state.chosen.top_k,
            class_thresholds=dict(refinement.class_thresholds),
            suppress_iou=refinement.suppress_iou,
            across_classes=refinement.across_classes,
            hidden=sorted(refinement.hidden),
            solo=refinement.solo,
            tile_side=None if state.tiling is None else state.tiling.side,
        )

    def applied_to(self, state: ViewerState) -> ViewerState:
        """Return the state as the user left it."""
        refinement = Refinement(
            class_thresholds=self.class_thresholds,
            suppress_iou=self.suppress_iou,
            across_classes=self.across_classes,
            hidden=frozenset(self.hidden),
            solo=self.solo,
        )
        chosen = replace(state.chosen, threshold=self.threshold, top_k=self.top_k)
        tiling = None if self.tile_side is None else Tiling(self.tile_side)
        return replace(state, chosen=chosen, refinement=refinement, tiling=tiling)
