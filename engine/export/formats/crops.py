"""Crops: the region of each detection as an image of its own, number, label and score in its name."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from engine.detect.detection import Box
from engine.export.classes import ClassTable
from engine.export.format import ExportFormat, FileAnImage
from engine.export.item import ExportItem
from engine.export.places import safe_name
from engine.render.render import encode_image

_LONGEST = 230
"""Bytes of stem and label together; number, score and ending have the rest of the 255."""


def _files(item: ExportItem, path: Path, classes: ClassTable) -> Iterator[tuple[Path, bytes]]:
    if not len(item.shown):
        return
    image = item.image()
    room = _LONGEST - len(os.fsencode(path.name))
    for number, detection in enumerate(item.shown, 1):
        label = safe_name(detection.label, "unnamed", room)
        crop = image.crop(_region(detection.box))
        yield path.with_name(f"{path.name}_{number:03d}_{label}_{detection.score:.3f}.png"), encode_image(crop, "PNG")


def _region(box: Box) -> tuple[int, int, int, int]:
    """Every pixel that the box touches."""
    return math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])


CROPS = ExportFormat("Crops, PNG", "crops", (), FileAnImage("", _files))
