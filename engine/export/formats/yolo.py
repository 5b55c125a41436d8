"""YOLO: one text file per image, plus classes.txt and data.yaml (https://docs.ultralytics.com/datasets/detect)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.answer import shortest
from engine.detect.detection import Detection
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, FilePerImage, single_file
from engine.export.item import ExportItem


def _plain(item: ExportItem, path: Path, classes: ExportClasses) -> bytes:
    return "".join(f"{line}\n" for _, line in _lines(item, classes)).encode()


def _scored(item: ExportItem, path: Path, classes: ExportClasses) -> bytes:
    lines = (f"{line} {shortest(detection.score):.6f}\n" for detection, line in _lines(item, classes))
    return "".join(lines).encode()


def _lines(item: ExportItem, classes: ExportClasses) -> Iterator[tuple[Detection, str]]:
    """Yield `cls cx cy w h` lines, normalised by the width and height of the image."""
    for detection in item.shown:
        xmin, ymin, xmax, ymax = detection.box
        normalised = (
            (xmin + xmax) / 2 / item.width,
            (ymin + ymax) / 2 / item.height,
            (xmax - xmin) / item.width,
            (ymax - ymin) / item.height,
        )
        yield detection, " ".join([str(classes.yolo_ids[detection.label_id]), *(f"{v:.6f}" for v in normalised)])


def _shared_files(classes: ExportClasses) -> Mapping[str, bytes]:
    names = [_one_line(name) or str(label_id) for label_id, name in classes.names.items()]
    table = "".join(f"  {number}: {_quoted(name)}\n" for number, name in enumerate(names))
    yaml = f"train: .\nval: .\nnc: {len(names)}\nnames:\n{table}"
    text = "".join(f"{name}\n" for name in names)
    return {"classes.txt": text.encode("utf-8", "replace"), "data.yaml": yaml.encode()}


def _one_line(name: str) -> str:
    """Replace line breaks in a name, which would shift the numbers of all later classes in classes.txt."""
    return " ".join(name.split())


def _quoted(name: str) -> str:
    """Encode as a double-quoted YAML string."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped) + '"'


YOLO = ExportFormat("YOLO", "yolo", (".txt",), FilePerImage(".txt", single_file(_plain), _shared_files))
YOLO_SCORES = ExportFormat(
    "YOLO with scores", "yolo-scores", (".txt",), FilePerImage(".txt", single_file(_scored), _shared_files)
)
