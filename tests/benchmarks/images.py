"""Generated images on the disk: many small ones, and large ones."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from engine.paths import resource

SAMPLE = resource("samples", "parcels.jpg")


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


def write_large(path: Path, size: tuple[int, int], number: int = 0) -> Path:
    """Write a JPEG of `size` pixels, another one for another `number`; returns its path."""
    with Image.open(SAMPLE) as opened:
        opened.convert("RGB").resize(size).save(path, quality=88, comment=b"%d" % number)
    return path
