"""Crops: the region of each detection as a PNG, with number, label and score in the file name."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from engine.detect.detection import Box
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, FilePerImage
from engine.export.item import ExportItem
from engine.export.names import safe_name
from engine.render.render import encode_image

_LONGEST = 230
"""Longest stem and label together, bytes; the rest of 255 is for number, score and ending."""


def _files(item: ExportItem, path: Path, classes: ExportClasses) -> Iterator[tuple[Path, bytes]]:
    if not len(item.shown):
        return
    image = item.image()
    room = _LONGEST - len(os.fsencode(path.name))
    for number, detection in enumerate(item.shown, 1):
        label = safe_name(detection.label, "unnamed", room)
        crop = image.crop(_region(detection.box))
        yield path.with_name(f"{path.name}_{number:03d}_{label}_{detection.score:.3f}.png"), encode_image(crop, "PNG")


def _region(box: Box) -> tuple[int, int, int, int]:
    """Return the rectangle of all pixels that the box touches."""
    return math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])


CROPS = ExportFormat("Crops, PNG", "crops", (), FilePerImage("", _files))
