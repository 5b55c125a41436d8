"""Detections of an image merged with the decisions about them: what is shown, listed and exported."""

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
"""Least IoU at which a decision applies to a detection of the same class from another run."""


@dataclass(frozen=True, eq=False)
class Reviewed:
    """The detections and decisions shown for an image.

    Attributes:
        shown: Detections that pass the filters and all decided ones, best score first, with labels and boxes as
            decided. A decision without a matching detection has minus its id as index.
        decisions: Decisions by index of `shown`; undecided detections are absent.
    """

    shown: Detections
    decisions: Mapping[int, Decision] = field(default_factory=dict)

    def having(self, status: Status) -> frozenset[int]:
        """Return the indices of decisions with this status."""
        return frozenset(index for index, decision in self.decisions.items() if decision.status is status)

    def without(self, status: Status) -> Detections:
        """Return the shown detections except those with this status."""
        left_out = self.having(status)
        return self.shown.at(np.flatnonzero([index not in left_out for index in self.shown.indices.tolist()]))

    @cached_property
    def undecided(self) -> frozenset[int]:
        """Indices of the shown detections without a decision."""
        return frozenset(self.shown.indices.tolist()) - self.decisions.keys()

    @cached_property
    def orphans(self) -> frozenset[int]:
        """Indices of decisions about detections that the present run did not find."""
        decided = self.decisions.items()
        return frozenset(index for index, decision in decided if index < 0 and decision.original is not None)


def merge_decisions(
    found: Detections, decisions: Sequence[Decision], chosen: Filter, refinement: Refinement | None = None
) -> Reviewed:
    """Merge detections and decisions into what is shown.

    Accepted, added and orphaned boxes are shown regardless of thresholds and top_k, rejected ones only if they pass
    the filters. Hidden classes, and those not among the labels of `chosen`, are not shown.
    """
    refinement = refinement or Refinement()
    kept = keep_refined(found, chosen, refinement)
    if not decisions:
        return Reviewed(kept)
    matches = match_decisions(found, decisions)
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


def match_decisions(found: Detections, decisions: Sequence[Decision]) -> dict[int, int]:
    """Find the detection that each decision is about; return `Detection.index` by decision id, without orphans.

    Greedy matching of detections and originals of the same class by descending IoU, at least SAME_IOU; equal IoUs by
    the smaller difference of scores. Each is matched at most once. A box without area matches an identical one.
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
    """Return the IoU of xyxy boxes [N, 4] and [M, 4]: float32 [N, M], 1 for identical boxes without area."""
    overlaps = pairwise_iou(boxes, others)
    flat = (boxes[:, 2:] <= boxes[:, :2]).any(-1)
    overlaps[flat] = (boxes[flat][:, None] == others[None]).all(-1)
    return overlaps


def _with_decisions(undecided: Detections, decided: Mapping[int, Decision]) -> Detections:
    """Combine undecided detections and decided boxes, best score first."""
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
    """Add the labels that are not among the class names, numbered from the highest label id on."""
    known = dict(names)
    for label in sorted(set(labels) - set(known.values())):
        known[max(known, default=-1) + 1] = label
    return known
