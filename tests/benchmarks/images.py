"""Generated image files: many small ones, photos and large ones."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from engine.paths import resource

SAMPLE = resource("samples", "parcels.jpg")
SAMPLES = ("parcels", "shelf", "poster", "empty")
MANY = 50_000


def fill_folder(folder: Path, count: int, side: int = 48) -> Path:
    """Write `count` small JPEGs that differ by a comment in their header; returns the folder."""
    folder.mkdir(parents=True)
    content = io.BytesIO()
    with Image.open(SAMPLE) as opened:
        opened.resize((side, side)).save(content, "JPEG", quality=80)
    start, rest = content.getvalue()[:2], content.getvalue()[2:]
    for number in range(count):
        comment = b"%08d" % number
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"image {number}.jpg").write_bytes(start + segment + rest)
    return folder


def fill_with_photos(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """Write `count` JPEGs of `size` pixels, each a different crop of a sample; returns their paths."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(11)
    opened = [Image.open(resource("samples", f"{name}.jpg")).convert("RGB") for name in SAMPLES]
    paths = [folder / f"photo {number}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        whole = opened[number % len(opened)]
        left, top = (int(random.uniform(0, side / 4)) for side in whole.size)
        right, bottom = (int(side * random.uniform(0.75, 1)) for side in whole.size)
        whole.resize(size, box=(left, top, right, bottom)).save(path, quality=90)
    return paths


def write_large(path: Path, size: tuple[int, int], number: int = 0) -> Path:
    """Write a JPEG of `size` pixels, different for each `number`; returns its path."""
    with Image.open(SAMPLE) as opened:
        opened.convert("RGB").resize(size).save(path, quality=88, comment=b"%d" % number)
    return path
