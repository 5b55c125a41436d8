"""A review kept in plain lists, which a session must not differ from, and moves at random to try both with."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from engine.review.decision import Decision, Original, Status
from engine.review.image_review import ImageReview
from engine.review.session import Step

IMAGES = tuple(f"{number:032x}" for number in range(4))
LABELS = ("二维码", "face", "半\ud83d", "")


class Reviewing(Protocol):
    """What a session and the plain review have in common."""

    @property
    def next_id(self) -> int: ...
    def image(self, content_hash: str) -> ImageReview: ...
    def do(self, step: Step) -> None: ...
    def undo(self) -> Step | None: ...
    def redo(self) -> Step | None: ...


@dataclass
class PlainReview:
    """Every step ever done, in memory."""

    images: dict[str, ImageReview] = field(default_factory=dict)
    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)
    next_id: int = 1

    def image(self, content_hash: str) -> ImageReview:
        return self.images.get(content_hash, ImageReview())

    def do(self, step: Step) -> None:
        if step.before != step.after:
            self.images[step.content_hash] = step.after
            self.done.append(step)
            self.undone.clear()
            self.next_id = max([self.next_id, *(decision.id + 1 for decision in step.after.decisions)])

    def undo(self) -> Step | None:
        if not self.done:
            return None
        step = self.done.pop()
        self.undone.append(step)
        self.images[step.content_hash] = step.before
        return step

    def redo(self) -> Step | None:
        if not self.undone:
            return None
        step = self.undone.pop()
        self.done.append(step)
        self.images[step.content_hash] = step.after
        return step

    @property
    def undo_text(self) -> str:
        return self.done[-1].text if self.done else ""

    @property
    def redo_text(self) -> str:
        return self.undone[-1].text if self.undone else ""


def move(reviewing: Reviewing, chance: random.Random) -> Step | None:
    """Do, undo or redo something; the same `chance` gives the same move on either side."""
    kind = chance.random()
    if kind < 0.2:
        return reviewing.undo()
    if kind < 0.3:
        return reviewing.redo()
    content_hash = chance.choice(IMAGES)
    before = reviewing.image(content_hash)
    change = chance.choice([_add, _add, _accept, _change_some, _remove_some, _switch, _write])
    step = Step(content_hash, change.__name__, before, change(before, reviewing.next_id, chance))
    reviewing.do(step)
    return step


def is_same(session: Reviewing, plain: PlainReview) -> bool:
    """Whether both keep the same of every image."""
    return all(session.image(content_hash) == plain.image(content_hash) for content_hash in IMAGES)


Change = Callable[[ImageReview, int, random.Random], ImageReview]


def _box(chance: random.Random) -> tuple[float, float, float, float]:
    return chance.random(), chance.uniform(0, 1e-9), chance.uniform(1, 4000), 1e17 / 3


def _add(before: ImageReview, next_id: int, chance: random.Random) -> ImageReview:
    added = Decision(next_id, Status.ADDED, chance.choice(LABELS), _box(chance))
    return replace(before, decisions=(*before.decisions, added))


def _accept(before: ImageReview, next_id: int, chance: random.Random) -> ImageReview:
    originals = [Original("face", chance.random(), _box(chance), "starter") for _ in range(chance.randrange(30))]
    accepted = [Decision(next_id + at, Status.ACCEPTED, "face", one.box, one) for at, one in enumerate(originals)]
    return replace(before, decisions=(*before.decisions, *accepted), is_reviewed=True)


def _change_some(before: ImageReview, _next_id: int, chance: random.Random) -> ImageReview:
    changed = (
        replace(decision, status=chance.choice(list(Status)), label=chance.choice(LABELS), box=_box(chance))
        if chance.random() < 0.5
        else decision
        for decision in before.decisions
    )
    return replace(before, decisions=tuple(changed))


def _remove_some(before: ImageReview, _next_id: int, chance: random.Random) -> ImageReview:
    return replace(before, decisions=tuple(d for d in before.decisions if chance.random() < 0.5))


def _switch(before: ImageReview, _next_id: int, _chance: random.Random) -> ImageReview:
    return replace(before, is_reviewed=not before.is_reviewed)


def _write(before: ImageReview, _next_id: int, chance: random.Random) -> ImageReview:
    return replace(before, note=chance.choice(["", "看不清", "a\nb", "half \udc80"]))
