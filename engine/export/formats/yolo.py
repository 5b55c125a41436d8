"""YOLO: a text file an image, classes.txt and data.yaml beside them (https://docs.ultralytics.com/datasets/detect)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.answer import shortest
from engine.detect.detection import Detection
from engine.export.classes import ClassTable
from engine.export.format import ExportFormat, FileAnImage, one_file
from engine.export.item import ExportItem


def _plain(item: ExportItem, path: Path, classes: ClassTable) -> bytes:
    return "".join(f"{line}\n" for _, line in _lines(item, classes)).encode()


def _scored(item: ExportItem, path: Path, classes: ClassTable) -> bytes:
    lines = (f"{line} {shortest(detection.score):.6f}\n" for detection, line in _lines(item, classes))
    return "".join(lines).encode()


def _lines(item: ExportItem, classes: ClassTable) -> Iterator[tuple[Detection, str]]:
    """`cls cx cy w h`, shares of the image's sides."""
    for detection in item.shown:
        xmin, ymin, xmax, ymax = detection.box
        shares = (
            (xmin + xmax) / 2 / item.width,
            (ymin + ymax) / 2 / item.height,
            (xmax - xmin) / item.width,
            (ymax - ymin) / item.height,
        )
        yield detection, " ".join([str(classes.places[detection.label_id]), *(f"{share:.6f}" for share in shares)])


def _beside(classes: ClassTable) -> Mapping[str, bytes]:
    names = [_one_line(name) or str(label_id) for label_id, name in classes.names.items()]
    table = "".join(f"  {place}: {_quoted(name)}\n" for place, name in enumerate(names))
    yaml = f"train: .\nval: .\nnc: {len(names)}\nnames:\n{table}"
    text = "".join(f"{name}\n" for name in names)
    return {"classes.txt": text.encode("utf-8", "replace"), "data.yaml": yaml.encode()}


def _one_line(name: str) -> str:
    """A line break in a name would give every later class another number."""
    return " ".join(name.split())


def _quoted(name: str) -> str:
    """A double-quoted YAML string."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in escaped) + '"'


YOLO = ExportFormat("YOLO", "yolo", (".txt",), FileAnImage(".txt", one_file(_plain), _beside))
YOLO_SCORES = ExportFormat(
    "YOLO with scores", "yolo-scores", (".txt",), FileAnImage(".txt", one_file(_scored), _beside)
)
