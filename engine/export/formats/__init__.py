"""The registry of export formats: a new one is a module in this folder and an entry in EXPORT_FORMATS."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from engine.detect.detection import Detections, Filter
from engine.errors import EngineError
from engine.export.format import ExportFormat
from engine.export.formats.annotated import ANNOTATED_JPEG, ANNOTATED_PNG
from engine.export.formats.answer import API_JSON
from engine.export.formats.coco import COCO_DATASET, COCO_RESULTS
from engine.export.formats.crops import CROPS
from engine.export.formats.labelme import LABELME
from engine.export.formats.table import CSV
from engine.export.formats.voc import PASCAL_VOC
from engine.export.formats.yolo import YOLO, YOLO_SCORES
from engine.storage.atomic import write_atomic

EXPORT_FORMATS = (
    ANNOTATED_PNG,
    ANNOTATED_JPEG,
    API_JSON,
    COCO_DATASET,
    COCO_RESULTS,
    YOLO,
    YOLO_SCORES,
    PASCAL_VOC,
    LABELME,
    CSV,
    CROPS,
)
"""All formats, in menu order."""

FORMATS = (ANNOTATED_PNG, ANNOTATED_JPEG, API_JSON)
"""Formats of a single image that are chosen by the suffix of a file."""


def format_for(path: Path) -> ExportFormat:
    """Return the single-image format for the suffix of a file.

    Raises:
        EngineError: `export_suffix`: no format has the suffix.
    """
    for known in FORMATS:
        if path.suffix.lower() in known.suffixes:
            return known
    raise EngineError(
        "export_suffix",
        "{name} has no known ending; use one of {endings}.",
        name=path.name,
        endings=", ".join(suffix for known in FORMATS for suffix in known.suffixes),
    )


def export(path: Path, image: Image.Image, found: Detections, chosen: Filter) -> None:
    """Write the chosen detections of one image in the format given by the file's suffix.

    Raises:
        EngineError: The suffix is unknown or the file cannot be written.
    """
    write_atomic(path, format_for(path).encode(image, found, chosen))
