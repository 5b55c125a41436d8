"""The review of one image, and the actions on it as pure functions that return the next review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.detect.detection import Box
from engine.detect.same_name import same_name
from engine.review.decision import Decision, Original, Status
from engine.review.merge import Reviewed


@dataclass(frozen=True, slots=True)
class ImageReview:
    """The decisions about one image.

    Attributes:
        decisions: Ordered by id.
        is_reviewed: Whether a person has marked the image as reviewed.
        note: Free text by a person.
    """

    decisions: tuple[Decision, ...] = ()
    is_reviewed: bool = False
    note: str = ""


def accept(before: ImageReview, seen: Reviewed, indices: Iterable[int], next_id: int) -> ImageReview:
    """Accept detections, including those that were rejected before.

    Args:
        before: The image's review.
        seen: The detections and decisions shown.
        indices: `Detection.index` of those to accept; indices that are not in `seen.shown` are ignored.
        next_id: The first unused decision id of the session.
    """
    return _decide(before, seen, indices, next_id, Status.ACCEPTED)


def reject(before: ImageReview, seen: Reviewed, indices: Iterable[int], next_id: int) -> ImageReview:
    """Reject detections; a box that a person added is removed. Arguments as in `accept`."""
    wanted = set(indices)
    added = {seen.decisions[index].id for index in wanted & seen.having(Status.ADDED)}
    rest = replace(before, decisions=tuple(d for d in before.decisions if d.id not in added))
    return _decide(rest, seen, wanted - seen.having(Status.ADDED), next_id, Status.REJECTED)


def forget(before: ImageReview, seen: Reviewed, indices: Iterable[int]) -> ImageReview:
    """Remove the decisions about these detections; a box that a person added stays."""
    forgotten = {seen.decisions[index].id for index in indices if index in seen.decisions}
    kept = tuple(d for d in before.decisions if d.id not in forgotten or d.status is Status.ADDED)
    return replace(before, decisions=kept)


def relabel(before: ImageReview, seen: Reviewed, indices: Iterable[int], label: str, next_id: int) -> ImageReview:
    """Change the class of detections, which accepts them."""
    return _decide(before, seen, indices, next_id, Status.ACCEPTED, label=same_name(label))


def reshape(before: ImageReview, seen: Reviewed, boxes: Mapping[int, Box], next_id: int) -> ImageReview:
    """Move or resize detections, which accepts them; `boxes` by index: xyxy, pixels of the image as shown."""
    return _decide(before, seen, boxes, next_id, Status.ACCEPTED, boxes=boxes)


def add(before: ImageReview, label: str, box: Box, next_id: int) -> ImageReview:
    """Add a box that the model missed: xyxy, pixels of the image as shown."""
    return replace(before, decisions=(*before.decisions, Decision(next_id, Status.ADDED, same_name(label), box)))


def _decide(
    before: ImageReview,
    seen: Reviewed,
    indices: Iterable[int],
    next_id: int,
    status: Status,
    *,
    label: str | None = None,
    boxes: Mapping[int, Box] | None = None,
) -> ImageReview:
    wanted = set(indices)
    changed = {decision.id: decision for decision in before.decisions}
    for detection in seen.shown:
        if detection.index not in wanted:
            continue
        former = seen.decisions.get(detection.index)
        if former is None:
            original = Original.of(detection, seen.shown.model)
            former = Decision(next_id, status, detection.label, detection.box, original)
            next_id += 1
        kept = status if former.original is not None else Status.ADDED
        box = (boxes or {}).get(detection.index, former.box)
        changed[former.id] = replace(former, status=kept, label=label or former.label, box=box)
    return replace(before, decisions=tuple(changed.values()))
