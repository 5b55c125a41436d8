"""Texts about how many detections are shown and why the others are not."""

from __future__ import annotations

import numpy as np

from desktop.state.viewer import Stage, ViewerState
from desktop.style.i18n import tr, tr_count
from engine.detect.detection import Detections
from engine.review.refine import HeldBack, held_back

NAMES_SHOWN = 8


def held(state: ViewerState) -> HeldBack | None:
    """Return the hidden detections of the image by reason; shown because of a decision are not hidden."""
    if state.detections is None or state.shown is None:
        return None
    back = held_back(state.detections, state.chosen, state.refinement)
    shown = state.shown.indices
    parts = (part[~np.isin(part, shown)] for part in (back.hidden, back.below, back.suppressed))
    return HeldBack(*parts)


def summary(state: ViewerState) -> str:
    """Return how many detections are shown and how many are not."""
    count = 0 if state.shown is None else len(state.shown)
    reasons = held_reasons(state)
    if reasons:
        return tr_count("{count} detection; {reasons}", "{count} detections; {reasons}", count, reasons=reasons)
    if not state.hidden_count:
        return tr_count("{count} detection", "{count} detections", count)
    return tr_count(
        "{count} detection, {hidden} more hidden",
        "{count} detections, {hidden} more hidden",
        count,
        hidden=state.hidden_count,
    )


def held_reasons(state: ViewerState) -> str:
    """Return the reasons beside the threshold why detections are hidden; empty where there are none."""
    back = held(state) if state.refinement.is_active else None
    if back is None or not (len(back.hidden) or len(back.suppressed)):
        return ""
    below, hidden, suppressed = len(back.below), len(back.hidden), len(back.suppressed)
    reasons = (
        (below, tr_count("{count} below the threshold", "{count} below the threshold", below)),
        (hidden, tr_count("{count} hidden by class", "{count} hidden by class", hidden)),
        (suppressed, tr_count("{count} suppressed as duplicate", "{count} suppressed as duplicates", suppressed)),
    )
    return tr(", ").join(words for count, words in reasons if count)


def why_nothing(state: ViewerState) -> str:
    """Return why the table is empty and what to do."""
    reasons = held_reasons(state)
    if reasons:
        return tr("Nothing is shown: {reasons}.", reasons=reasons)
    if state.detections is not None:
        return _nothing_above(state, len(state.detections))
    if state.stage in (Stage.LOADING_MODEL, Stage.DETECTING) and state.image is not None:
        return tr("Detecting…")
    if state.image is not None:
        return tr("Not detected yet: press F5.")
    return tr("What the model finds in an image is listed here.")


def _nothing_above(state: ViewerState, below: int) -> str:
    if state.refinement.class_thresholds:
        return tr_count(
            "Nothing above the thresholds of the classes. {count} detection is below.",
            "Nothing above the thresholds of the classes. {count} detections are below.",
            below,
        )
    return tr_count(
        "Nothing above {threshold:.2f}. {count} detection is below.",
        "Nothing above {threshold:.2f}. {count} detections are below.",
        below,
        threshold=state.chosen.threshold,
    )


def classes_of(found: Detections) -> str:
    """Return which classes the model can find."""
    names = [name for _, name in sorted(found.names.items())]
    shown = tr(", ").join(names[:NAMES_SHOWN])
    if len(names) <= NAMES_SHOWN:
        return tr("{model} can find: {names}.", model=found.model, names=shown)
    return tr_count(
        "{model} can find: {names} and {count} more.",
        "{model} can find: {names} and {count} more.",
        len(names) - NAMES_SHOWN,
        model=found.model,
        names=shown,
    )
