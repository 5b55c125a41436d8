"""Many small images on the disk, no two of the same content."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from engine.paths import resource


def fill_folder(folder: Path, count: int, side: int = 48) -> Path:
    """Write `count` small JPEGs that differ by a comment in their header; returns the folder."""
    folder.mkdir(parents=True)
    content = io.BytesIO()
    with Image.open(resource("samples", "parcels.jpg")) as opened:
        opened.resize((side, side)).save(content, "JPEG", quality=80)
    start, rest = content.getvalue()[:2], content.getvalue()[2:]
    for number in range(count):
        comment = b"%08d" % number
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"image {number}.jpg").write_bytes(start + segment + rest)
    return folder


def fill_with_large(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """Write `count` JPEGs as a camera makes them, of `size` pixels, no two alike; returns the folder."""
    folder.mkdir(parents=True)
    with Image.open(resource("samples", "parcels.jpg")) as opened:
        image = opened.convert("RGB").resize(size)
    for number in range(count):
        image.putpixel((number, 0), (255, 0, 0))
        image.save(folder / f"image {number}.jpg", quality=88)
    return folder
