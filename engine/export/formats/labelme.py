"""labelme JSON, one file per image (https://github.com/wkentaro/labelme)."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from engine.answer import shortest, to_json
from engine.detect.detection import Detection
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, FilePerImage, single_file
from engine.export.item import ExportItem
from engine.export.text import corners
from engine.render.render import encode_image

_VERSION = "5.5.0"
"""Version of labelme that the files state; later versions read them too."""


def _encode(item: ExportItem, path: Path, classes: ExportClasses) -> bytes:
    is_file = item.source.kind == "path"
    content: dict[str, Any] = {
        "version": _VERSION,
        "flags": {},
        "shapes": [_shape(detection) for detection in item.shown],
        "imagePath": _relative(item.source.location, path.parent) if is_file else item.name.file_name,
        "imageData": None if is_file else base64.b64encode(encode_image(item.image(), "PNG")).decode(),
        "imageHeight": item.height,
        "imageWidth": item.width,
    }
    return to_json(content).encode("utf-8", "backslashreplace")


def _shape(detection: Detection) -> dict[str, Any]:
    xmin, ymin, xmax, ymax = corners(detection)
    return {
        "label": detection.label,
        "points": [[xmin, ymin], [xmax, ymax]],
        "group_id": None,
        "description": "",
        "shape_type": "rectangle",
        "flags": {},
        "mask": None,
        "score": shortest(detection.score),
    }


def _relative(image: str, folder: Path) -> str:
    """Return the image's path relative to the folder of the JSON file; the absolute path on another drive."""
    try:
        return Path(os.path.relpath(image, folder)).as_posix()
    except ValueError:
        return Path(image).absolute().as_posix()


LABELME = ExportFormat("labelme JSON", "labelme", (".json",), FilePerImage(".json", single_file(_encode)))
