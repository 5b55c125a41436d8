"""How far the detections of two runtimes are from each other."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.detect.detection import Detections
from engine.paths import resource

MOST_SCORE = 1e-3
MOST_PIXELS = 0.5
_NOISE_SIZES = ((640, 480), (333, 500), (97, 61), (61, 233))


@dataclass(frozen=True, slots=True)
class Difference:
    """How far detections are from those of another runtime.

    Attributes:
        score: Largest difference of two scores at the same rank.
        pixels: Largest distance of an edge from that of the same detection; the image's longer side where the other
            has no such detection.
    """

    score: float
    pixels: float

    @property
    def is_small(self) -> bool:
        """Whether nobody can tell the two apart."""
        return self.score <= MOST_SCORE and self.pixels <= MOST_PIXELS


def largest(differences: Iterable[Difference]) -> Difference:
    """The largest of each kind."""
    each = list(differences)
    return Difference(max(one.score for one in each), max(one.pixels for one in each))


def difference(ours: Detections, reference: Detections, most_score: float = MOST_SCORE) -> Difference:
    """Compare all detections of an image.

    The same detection is that of the same class with a score no further than `most_score` whose box is nearest. Which
    ones of equal score are the last that a model tells of is chance: those at the end have no box to be compared with.
    """
    apart = float(max(reference.width, reference.height))
    if len(ours) != len(reference):
        return Difference(1.0, apart)
    if not len(reference):
        return Difference(0.0, 0.0)
    score = float(np.abs(ours.scores - reference.scores).max())
    if not score <= most_score:
        return Difference(score, apart)
    firm = ours.scores > reference.scores[-1] + most_score
    left = np.ones(len(reference), bool)
    pixels = 0.0
    for at in np.flatnonzero(firm):
        same = left & (reference.label_ids == ours.label_ids[at])
        same &= np.abs(reference.scores - ours.scores[at]) <= most_score
        if not same.any():
            return Difference(score, apart)
        distances = np.where(same, np.abs(reference.boxes - ours.boxes[at]).max(axis=1), math.inf)
        nearest = int(distances.argmin())
        left[nearest] = False
        pixels = max(pixels, float(distances[nearest]))
    return Difference(score, pixels)


def probe_images() -> list[Image.Image]:
    """RGB images to compare two runtimes on: coloured noise, landscape and portrait, small and odd, and a sample."""
    with Image.open(resource("samples", "parcels.jpg")) as sample:
        return [*map(_noise, _NOISE_SIZES), sample.convert("RGB")]


def _noise(size: tuple[int, int]) -> Image.Image:
    small = np.random.default_rng(size).integers(0, 256, (min(size[1], 50), min(size[0], 50), 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
