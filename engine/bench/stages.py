"""Times of each stage of each way on a user's images, and the differences of their detections."""

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
"""Boxes with lower scores are not compared."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Differences between the detections of two ways.

    Attributes:
        score: Largest difference of scores at the same rank.
        pixels: Largest distance between an edge and that of the other way's nearest box of the same class.
        unmatched: Boxes of a class that the other way did not detect.
    """

    score: float = 0.0
    pixels: float = 0.0
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one way on all images.

    Attributes:
        name, device: Of the way.
        whole: From an image's bytes to its detections, ms.
        stages: Median of each stage, ms.
        ratio: `whole` over that of the first way, run by run; `None` for the first way.
        deviation: From the first way; `None` for the first way.
    """

    name: str
    device: str
    whole: Spread
    stages: Timing
    ratio: Spread | None
    deviation: Deviation | None

    def as_dict(self) -> dict[str, object]:
        """Return the values for JSON."""
        return asdict(self)


def measure(ways: Sequence[Way], contents: Sequence[bytes], runs: int) -> list[Measured]:
    """Run every way on every image once to warm up, then `runs` times in turns.

    Args:
        ways: At least one; the others are compared with the first.
        contents: The bytes of at least one image file.
        runs: At least 1.

    Raises:
        EngineError: an image cannot be opened, or a model fails.
    """
    all_found = [[way.detect(content) for content in contents] for way in ways]
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
            _largest(all_found[at], all_found[0]) if at else None,
        )
        for at, way in enumerate(ways)
    ]


def deviation(ours: Detections, other: Detections) -> Deviation:
    """Return the differences between all detections (threshold 0) of two ways in the same image."""
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
