"""An image's detections together with what was decided about them: what is shown, listed and exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections, Filter
from engine.review.decision import Decision, Status
from engine.review.refine import Refinement, keep_refined, pairwise_iou

SAME_IOU = 0.7
"""A detection of another run is the same one if its class is and the boxes overlap by this much."""


@dataclass(frozen=True, eq=False)
class Reviewed:
    """What is shown of an image.

    Attributes:
        shown: The detections that pass and everything that was decided, best score first, with labels and boxes as
            decided. An index is the detection's own; a decision that no detection matches has minus its id.
        decisions: The decision by index of `shown`; undecided ones are absent.
    """

    shown: Detections
    decisions: Mapping[int, Decision] = field(default_factory=dict)

    def having(self, status: Status) -> frozenset[int]:
        """Indices of what was decided so."""
        return frozenset(index for index, decision in self.decisions.items() if decision.status is status)

    def without(self, status: Status) -> Detections:
        """What is shown but what was decided so."""
        left_out = self.having(status)
        return self.shown.at(np.flatnonzero([index not in left_out for index in self.shown.indices.tolist()]))

    @cached_property
    def undecided(self) -> frozenset[int]:
        """Indices of what nothing was decided about."""
        return frozenset(self.shown.indices.tolist()) - self.decisions.keys()

    @cached_property
    def orphans(self) -> frozenset[int]:
        """Indices of decisions about detections that the present model did not find."""
        decided = self.decisions.items()
        return frozenset(index for index, decision in decided if index < 0 and decision.original is not None)


def review(
    found: Detections, decisions: Sequence[Decision], chosen: Filter, refinement: Refinement | None = None
) -> Reviewed:
    """What is shown of an image with these detections and decisions.

    What was accepted or added is shown whatever the thresholds and top_k are, and so are orphans; what was rejected
    only where it would be shown undecided. A class that is hidden, or not among the labels, is not shown.
    """
    refinement = refinement or Refinement()
    kept = keep_refined(found, chosen, refinement)
    if not decisions:
        return Reviewed(kept)
    matches = match(found, decisions)
    passing = set(kept.indices.tolist())
    by_index = {matches.get(decision.id, -decision.id): decision for decision in decisions}
    shown = {
        index: decision
        for index, decision in by_index.items()
        if refinement.shows(decision.label)
        and (chosen.labels is None or decision.label in chosen.labels)
        and (index < 0 or index in passing or decision.status is not Status.REJECTED)
    }
    undecided = kept.at(np.flatnonzero([index not in by_index for index in kept.indices.tolist()]))
    return Reviewed(_with_decisions(undecided, shown), shown)


def match(found: Detections, decisions: Sequence[Decision]) -> dict[int, int]:
    """Which detection each decision is about: index of the detection by id of the decision; orphans are absent.

    The pairs of the same class that overlap most are matched first, among equals those whose scores are nearest, each
    detection and decision once. A box without area is matched by one that is the same.
    """
    about = [decision for decision in decisions if decision.original is not None]
    if not about or not len(found):
        return {}
    originals = [decision.original for decision in about if decision.original is not None]
    overlaps = _overlaps(np.array([o.box for o in originals], np.float32), found.boxes)
    pairs = np.argwhere(overlaps >= SAME_IOU)
    labels = [found.label_of(label_id) for label_id in found.label_ids.tolist()]
    pairs = pairs[np.array([originals[row].label == labels[column] for row, column in pairs.tolist()], bool)]
    rows, columns = pairs.T
    gaps = np.abs(np.array([o.score for o in originals], np.float32)[rows] - found.scores[columns])
    matches: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in pairs[np.lexsort((gaps, -overlaps[rows, columns]))].tolist():
        decision, index = about[row].id, int(found.indices[column])
        if decision not in matches and index not in taken:
            matches[decision] = index
            taken.add(index)
    return matches


def _overlaps(boxes: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Intersection over union of boxes [N, 4] and [M, 4]; 1 where two without area are the same."""
    overlaps = pairwise_iou(boxes, others)
    flat = (boxes[:, 2:] <= boxes[:, :2]).any(-1)
    overlaps[flat] = (boxes[flat][:, None] == others[None]).all(-1)
    return overlaps


def _with_decisions(undecided: Detections, decided: Mapping[int, Decision]) -> Detections:
    """Both in one, best score first."""
    if not decided:
        return undecided
    unnamed = {label_id: undecided.label_of(label_id) for label_id in np.unique(undecided.label_ids).tolist()}
    names = with_labels({**undecided.names, **unnamed}, [decision.label for decision in decided.values()])
    ids = {name: label_id for label_id, name in reversed(names.items())}
    scores = np.concatenate([undecided.scores, np.array([d.score for d in decided.values()], np.float32)])
    order = np.argsort(-scores, kind="stable")
    label_ids = np.array([ids[decision.label] for decision in decided.values()], np.int64)
    boxes = np.array([decision.box for decision in decided.values()], np.float32)
    return replace(
        undecided,
        names=names,
        scores=scores[order],
        label_ids=np.concatenate([undecided.label_ids, label_ids])[order],
        boxes=np.concatenate([undecided.boxes, boxes])[order],
        indices=np.concatenate([undecided.indices, np.array(list(decided), np.int64)])[order],
    )


def with_labels(names: Mapping[int, str], labels: Sequence[str]) -> dict[int, str]:
    """Class names by label id with those of `labels` that are new behind them, numbered from the highest id on."""
    known = dict(names)
    for label in sorted(set(labels) - set(known.values())):
        known[max(known, default=-1) + 1] = label
    return known
