"""Annotated images: the detections drawn on a copy, as the server's visualize draws them."""

from __future__ import annotations

from pathlib import Path

from engine.export.classes import ClassTable
from engine.export.format import ExportFormat, FileAnImage, one_file
from engine.export.item import ExportItem
from engine.render.render import draw_detections, encode_image


def _png(item: ExportItem, path: Path, classes: ClassTable) -> bytes:
    return encode_image(draw_detections(item.image(), item.shown), "PNG")


def _jpeg(item: ExportItem, path: Path, classes: ClassTable) -> bytes:
    return encode_image(draw_detections(item.image(), item.shown), "JPEG")


ANNOTATED_PNG = ExportFormat(
    "Annotated image, PNG", "annotated-png", (".png",), FileAnImage("_detections.png", one_file(_png))
)
ANNOTATED_JPEG = ExportFormat(
    "Annotated image, JPEG", "annotated-jpeg", (".jpg", ".jpeg"), FileAnImage("_detections.jpg", one_file(_jpeg))
)
