"""What a step changed in an image's review, as short JSON that leads from either side to the other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from engine.detect.detection import Box
from engine.review.decision import Decision, Original, Status
from engine.review.image_review import ImageReview


class DamagedError(Exception):
    """What was read is not what `encode` or `Difference.encode` wrote."""


def encode(decision: Decision) -> str:
    """A decision as JSON, plain ASCII: any label survives, be it half a surrogate pair."""
    return json.dumps(_plain(decision), separators=(",", ":"))


def decode(texts: Iterable[str]) -> tuple[Decision, ...]:
    """The decisions that `encode` was given.

    Raises:
        DamagedError: one of `texts` is something else.
    """
    try:
        return _decisions(json.loads(f"[{','.join(texts)}]"))
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedError("a decision cannot be read") from error


@dataclass(frozen=True, slots=True)
class Difference:
    """What one side of a step has and the other has not.

    Attributes:
        before: Decisions that are gone or look otherwise after.
        after: Decisions that were not there or looked otherwise before.
        is_reviewed: Before and after, where it changed.
        note: Before and after, where it changed.
    """

    before: tuple[Decision, ...]
    after: tuple[Decision, ...]
    is_reviewed: tuple[bool, bool] | None = None
    note: tuple[str, str] | None = None

    @classmethod
    def between(cls, before: ImageReview, after: ImageReview) -> Difference:
        """What leads from `before` to `after`."""
        had, has = frozenset(before.decisions), frozenset(after.decisions)
        return cls(
            tuple(decision for decision in before.decisions if decision not in has),
            tuple(decision for decision in after.decisions if decision not in had),
            None if before.is_reviewed == after.is_reviewed else (before.is_reviewed, after.is_reviewed),
            None if before.note == after.note else (before.note, after.note),
        )

    def reversed(self) -> Difference:
        """What leads back."""
        return Difference(
            self.after,
            self.before,
            None if self.is_reviewed is None else self.is_reviewed[::-1],
            None if self.note is None else self.note[::-1],
        )

    def applied(self, review: ImageReview) -> ImageReview:
        """`review` with this change, its decisions in the order of their ids."""
        gone = {decision.id for decision in self.before + self.after}
        decisions = [decision for decision in review.decisions if decision.id not in gone]
        return replace(
            review,
            decisions=tuple(sorted((*decisions, *self.after), key=lambda decision: decision.id)),
            is_reviewed=review.is_reviewed if self.is_reviewed is None else self.is_reviewed[1],
            note=review.note if self.note is None else self.note[1],
        )

    def encode(self) -> str:
        """As JSON, plain ASCII."""
        sides = [[_plain(decision) for decision in side] for side in (self.before, self.after)]
        return json.dumps([*sides, self.is_reviewed, self.note], separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Difference:
        """The difference that `encode` was called on.

        Raises:
            DamagedError: `text` is something else.
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


def _plain(decision: Decision) -> list[Any]:
    """Label and box are left out where they are as the model had said."""
    original = decision.original
    if original is None:
        return [decision.id, decision.status, decision.label, decision.box, None]
    label = None if decision.label == original.label else decision.label
    box = None if decision.box == original.box else decision.box
    return [decision.id, decision.status, label, box, [original.label, original.score, original.box, original.model]]


def _decision(plain: list[Any]) -> Decision:
    number, status, label, box, said = plain
    if said is None:
        return Decision(int(number), Status(status), str(label), _box(box))
    said_label, score, said_box, model = said
    original = Original(str(said_label), float(score), _box(said_box), str(model))
    label = original.label if label is None else str(label)
    return Decision(int(number), Status(status), label, original.box if box is None else _box(box), original)


def _decisions(side: Iterable[list[Any]]) -> tuple[Decision, ...]:
    return tuple(_decision(plain) for plain in side)


def _box(edges: Iterable[float]) -> Box:
    xmin, ymin, xmax, ymax = (float(edge) for edge in edges)
    return xmin, ymin, xmax, ymax
