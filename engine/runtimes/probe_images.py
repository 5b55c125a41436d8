"""Images on which two runtimes of a model are compared."""

from __future__ import annotations

import numpy as np
from PIL import Image

from engine.paths import resource

_NOISE_SIZES = ((640, 480), (333, 500), (97, 61), (61, 233))


def probe_images() -> list[Image.Image]:
    """Return RGB images: coloured noise in landscape and portrait, small and odd sizes, and a sample."""
    with Image.open(resource("samples", "parcels.jpg")) as sample:
        return [*map(_noise, _NOISE_SIZES), sample.convert("RGB")]


def _noise(size: tuple[int, int]) -> Image.Image:
    small = np.random.default_rng(size).integers(0, 256, (min(size[1], 50), min(size[0], 50), 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
