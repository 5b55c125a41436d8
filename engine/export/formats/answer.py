"""API JSON: the server's answer for the image with this model, threshold, top_k and labels."""

from __future__ import annotations

from pathlib import Path

from engine.answer import detection_answer, to_json
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, FilePerImage, single_file
from engine.export.item import ExportItem


def _encode(item: ExportItem, path: Path, classes: ExportClasses) -> bytes:
    return to_json(detection_answer(item.found, item.chosen)).encode("utf-8", "backslashreplace")


API_JSON = ExportFormat("Detections, JSON", "json", (".json",), FilePerImage("_detections.json", single_file(_encode)))
