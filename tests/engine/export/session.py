"""A reviewed session in a folder with a Chinese name, for the tests of the formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from engine.detect.detection import Box, Detections, Filter
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, OneFile
from engine.export.item import Choice, ExportItem
from engine.export.job import ExportSummary, export_items
from engine.export.names import export_names
from engine.image.decode import decode_image
from engine.image.listing import expand_sources
from engine.image.source import Source
from engine.review.decision import Decision, Original, Status
from engine.review.merge import merge_decisions

NAMES = {0: "人", 1: "二维码", 3: "箱子 <&>", 5: "car"}
"""A checkpoint's classes, with gaps."""
CLASSES = ExportClasses.of(NAMES, ["二维码", "猫"])
CHOSEN = Filter(threshold=0.5)
BOXES: tuple[Box, ...] = ((10.25, 5, 60, 70.5), (0, 0, 200, 120), (1, 2, 30, 40), (20, 20, 30.3, 30.7))
SCORES = (0.9, 0.8, 0.7, 0.3)
LABEL_IDS = (1, 3, 5, 0)
ADDED: Box = (3, 4, 50, 60)


@dataclass(frozen=True)
class Session:
    """Images in sub-folders, two with the same name, one turned by its EXIF orientation.

    In each the first detection was accepted, the third rejected, the second left, the fourth does not pass; a cat was
    added.
    """

    folder: Path
    sources: tuple[Source, ...]

    @classmethod
    def make(cls, folder: Path) -> Session:
        """Write the images."""
        noise = np.random.default_rng(1)
        turned = Image.Exif()
        turned[0x112] = 6
        for name in ("仓库/图一.jpg", "街道/图一.jpg", "街道/图二.png"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            is_turned = name.startswith("仓库")
            size = (200, 120, 3) if is_turned else (120, 200, 3)
            image = Image.fromarray(noise.integers(0, 255, size, dtype=np.uint8))
            image.save(folder / name, **({"exif": turned} if is_turned else {}))
        return cls(folder, tuple(expand_sources([folder])))

    def items(self, choice: Choice = Choice.REVIEWED) -> Iterator[ExportItem]:
        """One at a time, as a session gives them."""
        for source, name in zip(self.sources, export_names(self.sources), strict=True):
            yield item_of(source, name=name, choice=choice)

    def export(self, known: ExportFormat, target: Path, choice: Choice = Choice.REVIEWED) -> ExportSummary:
        """All of it in one format."""
        return export_items(known, self.items(choice), target, CLASSES)


def item_of(source: Source, choice: Choice = Choice.SHOWN, **changed: object) -> ExportItem:
    """One image of the session, with some attributes changed."""
    found = Detections.from_arrays(
        np.array(SCORES, np.float32), np.array(LABEL_IDS), np.array(BOXES, np.float32), NAMES, 200, 120
    )
    decisions = (
        Decision(1, Status.ACCEPTED, "二维码", BOXES[0], Original("二维码", 0.9, BOXES[0])),
        Decision(2, Status.REJECTED, "car", BOXES[2], Original("car", 0.7, BOXES[2])),
        Decision(3, Status.ADDED, "猫", ADDED),
    )
    given = {
        "name": export_names([source])[0],
        "reviewed": merge_decisions(found, decisions, CHOSEN),
        "found": found,
        "chosen": CHOSEN,
        "pixels": lambda: decode_image(Path(source.location).read_bytes()),
    }
    return ExportItem.of_reviewed(source, choice=choice, **(given | changed))  # type: ignore[arg-type]


def target_in(folder: Path, known: ExportFormat) -> Path:
    """Where a format writes to."""
    return folder / f"导出{known.suffixes[0]}" if isinstance(known.writer, OneFile) else folder / "导出"
