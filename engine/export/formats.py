"""The registry of export formats: name, suffixes, and how the bytes are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.answer import detection_answer, to_json
from engine.detect.detection import Detections, Filter
from engine.errors import EngineError
from engine.export.atomic import write_atomic
from engine.render import draw_detections, encode_image


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One format that a single image's detections can be written in.

    Attributes:
        name: What it is called, in English; the window translates it.
        suffixes: File name endings, the usual one first.
        encode: (image RGB, every detection, what is chosen) -> the file's bytes.
    """

    name: str
    suffixes: tuple[str, ...]
    encode: Callable[[Image.Image, Detections, Filter], bytes]


def _png(image: Image.Image, found: Detections, chosen: Filter) -> bytes:
    return encode_image(draw_detections(image, found.keep(chosen)), "PNG")


def _jpeg(image: Image.Image, found: Detections, chosen: Filter) -> bytes:
    return encode_image(draw_detections(image, found.keep(chosen)), "JPEG")


def _json(image: Image.Image, found: Detections, chosen: Filter) -> bytes:
    return to_json(detection_answer(found, chosen)).encode()


ANNOTATED_PNG = ExportFormat("Annotated image, PNG", (".png",), _png)
ANNOTATED_JPEG = ExportFormat("Annotated image, JPEG", (".jpg", ".jpeg"), _jpeg)
API_JSON = ExportFormat("Detections, JSON", (".json",), _json)

FORMATS = (ANNOTATED_PNG, ANNOTATED_JPEG, API_JSON)


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


def export(path: Path, image: Image.Image, found: Detections, chosen: Filter) -> None:
    """Write one image's chosen detections in the format of the file's suffix.

    Raises:
        EngineError: the suffix is unknown or the file cannot be written.
    """
    write_atomic(path, format_of(path).encode(image, found, chosen))
