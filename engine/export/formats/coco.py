"""COCO datasets and COCO results (https://cocodataset.org/#format-data)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.answer import shortest
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, OneFile
from engine.export.item import ExportItem
from engine.export.text import corner_and_size, json_bytes

Numbered = Iterator[tuple[int, ExportItem]]


def _dataset(items: Numbered, classes: ExportClasses) -> Iterator[bytes]:
    """Write annotations as they arrive, then the images, which are few and short and kept until the end."""
    categories = [{"id": at, "name": name, "supercategory": ""} for at, name in classes.names.items()]
    yield b'{"info": ' + json_bytes({"description": "Exported by detrdesk"}) + b', "licenses": [],\n'
    yield b'"categories": ' + json_bytes(categories) + b',\n"annotations": '
    images: list[bytes] = []
    yield from _list(_annotations(items, images))
    yield b',\n"images": '
    yield from _list(iter(images))
    yield b"}\n"


def _annotations(items: Numbered, images: list[bytes]) -> Iterator[bytes]:
    number = 0
    for image_id, item in items:
        images.append(json_bytes(_image(image_id, item)))
        for detection in item.shown:
            number += 1
            x, y, width, height = corner_and_size(detection)
            annotation = {
                "id": number,
                "image_id": image_id,
                "category_id": detection.label_id,
                "bbox": [x, y, width, height],
                "area": round(width * height, 4),
                "iscrowd": 0,
                "segmentation": [],
                "score": shortest(detection.score),
            }
            yield json_bytes(annotation)


def _image(image_id: int, item: ExportItem) -> dict[str, Any]:
    image = {"id": image_id, "file_name": item.name.file_name, "width": item.width, "height": item.height}
    return image | ({"coco_url": item.source.location} if item.source.kind == "url" else {})


def _results(items: Numbered, classes: ExportClasses) -> Iterator[bytes]:
    yield from _list(_results_of(items))
    yield b"\n"


def _results_of(items: Numbered) -> Iterator[bytes]:
    for image_id, item in items:
        for detection in item.shown:
            result = {
                "image_id": image_id,
                "category_id": detection.label_id,
                "bbox": corner_and_size(detection),
                "score": shortest(detection.score),
            }
            yield json_bytes(result)


def _list(entries: Iterator[bytes]) -> Iterator[bytes]:
    """Encode a JSON list with one entry per line."""
    yield b"["
    for at, entry in enumerate(entries):
        yield b",\n" if at else b"\n"
        yield entry
    yield b"]"


COCO_DATASET = ExportFormat("COCO dataset", "coco", (".json",), OneFile(_dataset))
COCO_RESULTS = ExportFormat("COCO results", "coco-results", (".json",), OneFile(_results))
