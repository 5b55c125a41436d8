"""Annotated images, with the detections drawn as by the server's `visualize` endpoint."""

from __future__ import annotations

from pathlib import Path

from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, FilePerImage, single_file
from engine.export.item import ExportItem
from engine.render.render import draw_detections, encode_image


def _png(item: ExportItem, path: Path, classes: ExportClasses) -> bytes:
    return encode_image(draw_detections(item.image(), item.shown), "PNG")


def _jpeg(item: ExportItem, path: Path, classes: ExportClasses) -> bytes:
    return encode_image(draw_detections(item.image(), item.shown), "JPEG")


ANNOTATED_PNG = ExportFormat(
    "Annotated image, PNG", "annotated-png", (".png",), FilePerImage("_detections.png", single_file(_png))
)
ANNOTATED_JPEG = ExportFormat(
    "Annotated image, JPEG", "annotated-jpeg", (".jpg", ".jpeg"), FilePerImage("_detections.jpg", single_file(_jpeg))
)
