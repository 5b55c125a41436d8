"""The change that a step made to an image's review, reversible and stored as short JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from engine.detect.detection import Box
from engine.review.decision import Decision, Original, Status
from engine.review.image_review import ImageReview


class DamagedError(Exception):
    """Stored data cannot be read."""


def encode_decision(decision: Decision) -> str:
    """Encode a decision as ASCII JSON, so that any label survives, even with a lone surrogate."""
    return json.dumps(_to_list(decision), separators=(",", ":"))


def decode_decisions(texts: Iterable[str]) -> tuple[Decision, ...]:
    """Decode the results of `encode_decision`.

    Raises:
        DamagedError: A text is damaged.
    """
    try:
        return _decisions(json.loads(f"[{','.join(texts)}]"))
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedError("a decision cannot be read") from error


@dataclass(frozen=True, slots=True)
class ReviewChange:
    """The difference between an image's review before and after a step.

    Attributes:
        before: Decisions removed or changed, as they were before.
        after: Decisions added or changed, as they are after.
        is_reviewed: Values before and after; `None` if unchanged.
        note: Values before and after; `None` if unchanged.
    """

    before: tuple[Decision, ...]
    after: tuple[Decision, ...]
    is_reviewed: tuple[bool, bool] | None = None
    note: tuple[str, str] | None = None

    @classmethod
    def between(cls, before: ImageReview, after: ImageReview) -> ReviewChange:
        """Compute the change from `before` to `after`."""
        old, new = frozenset(before.decisions), frozenset(after.decisions)
        return cls(
            tuple(decision for decision in before.decisions if decision not in new),
            tuple(decision for decision in after.decisions if decision not in old),
            None if before.is_reviewed == after.is_reviewed else (before.is_reviewed, after.is_reviewed),
            None if before.note == after.note else (before.note, after.note),
        )

    def reversed(self) -> ReviewChange:
        """Return the inverse change."""
        return ReviewChange(
            self.after,
            self.before,
            None if self.is_reviewed is None else self.is_reviewed[::-1],
            None if self.note is None else self.note[::-1],
        )

    def applied(self, review: ImageReview) -> ImageReview:
        """Apply the change to a review; its decisions are ordered by id."""
        replaced = {decision.id for decision in self.before + self.after}
        decisions = [decision for decision in review.decisions if decision.id not in replaced]
        return replace(
            review,
            decisions=tuple(sorted((*decisions, *self.after), key=lambda decision: decision.id)),
            is_reviewed=review.is_reviewed if self.is_reviewed is None else self.is_reviewed[1],
            note=review.note if self.note is None else self.note[1],
        )

    def encode(self) -> str:
        """Encode as ASCII JSON."""
        sides = [[_to_list(decision) for decision in side] for side in (self.before, self.after)]
        return json.dumps([*sides, self.is_reviewed, self.note], separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> ReviewChange:
        """Decode the result of `encode`.

        Raises:
            DamagedError: The text is damaged.
        """
        try:
            before, after, is_reviewed, note = json.loads(text)
            return cls(
                _decisions(before),
                _decisions(after),
                None if is_reviewed is None else (bool(is_reviewed[0]), bool(is_reviewed[1])),
                None if note is None else (str(note[0]), str(note[1])),
            )
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise DamagedError("a step cannot be read") from error


def _to_list(decision: Decision) -> list[Any]:
    """Convert to JSON values; label and box are `None` if equal to the original's."""
    original = decision.original
    if original is None:
        return [decision.id, decision.status, decision.label, decision.box, None]
    label = None if decision.label == original.label else decision.label
    box = None if decision.box == original.box else decision.box
    return [decision.id, decision.status, label, box, [original.label, original.score, original.box, original.model]]


def _from_list(values: list[Any]) -> Decision:
    number, status, label, box, original_values = values
    if original_values is None:
        return Decision(int(number), Status(status), str(label), _box(box))
    original_label, score, original_box, model = original_values
    original = Original(str(original_label), float(score), _box(original_box), str(model))
    label = original.label if label is None else str(label)
    return Decision(int(number), Status(status), label, original.box if box is None else _box(box), original)


def _decisions(side: Iterable[list[Any]]) -> tuple[Decision, ...]:
    return tuple(_from_list(values) for values in side)


def _box(edges: Iterable[float]) -> Box:
    xmin, ymin, xmax, ymax = (float(edge) for edge in edges)
    return xmin, ymin, xmax, ymax
