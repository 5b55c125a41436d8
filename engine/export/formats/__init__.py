"""The registry of export formats: a further one is a module beside this one and its name in EXPORT_FORMATS."""

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
"""Every format, in the order of a menu."""

FORMATS = (ANNOTATED_PNG, ANNOTATED_JPEG, API_JSON)
"""What a file's ending alone can ask for, for one image."""


def format_of(path: Path) -> ExportFormat:
    """The format that a file name asks for.

    Raises:
        EngineError: its suffix is none of ours.
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


def format_named(key: str) -> ExportFormat:
    """The format with this key, e.g. `coco`.

    Raises:
        EngineError: no format has it.
    """
    for known in EXPORT_FORMATS:
        if known.key == key:
            return known
    keys = ", ".join(known.key for known in EXPORT_FORMATS)
    raise EngineError("export_format_unknown", "There is no format {key}; use one of {keys}.", key=key, keys=keys)


def export(path: Path, image: Image.Image, found: Detections, chosen: Filter) -> None:
    """Write one image's chosen detections in the format of the file's suffix.

    Raises:
        EngineError: the suffix is unknown or the file cannot be written.
    """
    write_atomic(path, format_of(path).encode(image, found, chosen))
