"""Comparison of the detections of two runtimes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.detect.detection import Detections

MOST_SCORE = 1e-3
MOST_PIXELS = 0.5


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The largest differences of detections from those of another runtime.

    Attributes:
        score: Largest difference of two scores at the same rank.
        pixels: Largest distance of an edge from that of the same detection; the image's longer side where the other
            has no such detection.
    """

    score: float
    pixels: float

    @property
    def is_small(self) -> bool:
        """Whether the two count as the same."""
        return self.score <= MOST_SCORE and self.pixels <= MOST_PIXELS


def largest(differences: Iterable[Disagreement]) -> Disagreement:
    """Return the largest of each kind."""
    each = list(differences)
    return Disagreement(max(one.score for one in each), max(one.pixels for one in each))


def difference(ours: Detections, reference: Detections, most_score: float = MOST_SCORE) -> Disagreement:
    """Compare all detections of an image.

    Each is compared with the nearest box of the same class whose score differs by at most `most_score`. Which of
    several equal scores come last is chance: the boxes of the last ones are not compared.
    """
    apart = float(max(reference.width, reference.height))
    if len(ours) != len(reference):
        return Disagreement(1.0, apart)
    if not len(reference):
        return Disagreement(0.0, 0.0)
    score = float(np.abs(ours.scores - reference.scores).max())
    if not score <= most_score:
        return Disagreement(score, apart)
    firm = ours.scores > reference.scores[-1] + most_score
    left = np.ones(len(reference), bool)
    pixels = 0.0
    for at in np.flatnonzero(firm):
        same = left & (reference.label_ids == ours.label_ids[at])
        same &= np.abs(reference.scores - ours.scores[at]) <= most_score
        if not same.any():
            return Disagreement(score, apart)
        distances = np.where(same, np.abs(reference.boxes - ours.boxes[at]).max(axis=1), math.inf)
        nearest = int(distances.argmin())
        left[nearest] = False
        pixels = max(pixels, float(distances[nearest]))
    return Disagreement(score, pixels)
