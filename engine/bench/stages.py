"""Ways measured stage by stage on a user's images, and how their detections differ."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from engine.bench.paired import Spread
from engine.bench.ways import Way
from engine.detect.detection import Detections, Timing

LEAST_SCORE = 0.05
"""Boxes of lower scores are not compared: nobody looks at them."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far the detections of one way are from another's.

    Attributes:
        score: Largest difference of two scores at the same rank.
        pixels: Largest distance of an edge from that of the other's nearest box of the same class.
        unmatched: Boxes whose class the other way has not at all.
    """

    score: float = 0.0
    pixels: float = 0.0
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """One way on all images.

    Attributes:
        name, device: Of the way.
        whole: Milliseconds from an image's bytes to its detections.
        stages: The median milliseconds of each stage.
        ratio: Of the whole to that of the first way, run by run; `None` for the first.
        deviation: From the first way; `None` for the first.
    """

    name: str
    device: str
    whole: Spread
    stages: Timing
    ratio: Spread | None
    deviation: Deviation | None

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def measure(ways: Sequence[Way], contents: Sequence[bytes], runs: int) -> list[Measured]:
    """Run every way on every image once to warm up, then `runs` times in turns.

    Args:
        ways: At least one; the first is what the others are compared with.
        contents: The files of at least one image.
        runs: At least 1.

    Raises:
        EngineError: an image cannot be opened, or a model cannot answer.
    """
    answers = [[way.detect(content) for content in contents] for way in ways]
    took: list[list[float]] = [[] for _ in ways]
    stages: list[list[Timing]] = [[] for _ in ways]
    for _ in range(runs):
        for content in contents:
            for at, way in enumerate(ways):
                started = time.perf_counter()
                found = way.detect(content)
                took[at].append((time.perf_counter() - started) * 1e3)
                stages[at].append(found.timing)
    return [
        Measured(
            way.name,
            way.device,
            Spread.of(took[at]),
            _median(stages[at]),
            Spread.of([one / first for one, first in zip(took[at], took[0], strict=True)]) if at else None,
            _largest(answers[at], answers[0]) if at else None,
        )
        for at, way in enumerate(ways)
    ]


def deviation(ours: Detections, other: Detections) -> Deviation:
    """How far detections are from others in the same image, as both are at threshold 0."""
    shared = min(len(ours), len(other))
    score = float(np.abs(ours.scores[:shared] - other.scores[:shared]).max(initial=0.0))
    pixels, unmatched = 0.0, abs(len(ours) - len(other))
    for box, label_id in zip(*_compared(ours), strict=True):
        same = other.boxes[other.label_ids == label_id]
        if len(same):
            pixels = max(pixels, float(np.abs(same - box).max(axis=1).min()))
        else:
            unmatched += 1
    return Deviation(score, pixels, unmatched)


def _compared(found: Detections) -> tuple[np.ndarray, np.ndarray]:
    seen = found.scores > LEAST_SCORE
    return found.boxes[seen], found.label_ids[seen]


def _largest(ours: Sequence[Detections], others: Sequence[Detections]) -> Deviation:
    each = [deviation(one, other) for one, other in zip(ours, others, strict=True)]
    return Deviation(*(max(getattr(one, field.name) for one in each) for field in fields(Deviation)))


def _median(timings: Sequence[Timing]) -> Timing:
    return Timing(*(statistics.median(getattr(each, field.name) for each in timings) for field in fields(Timing)))
