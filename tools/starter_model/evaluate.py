"""Scores an exported model on held-out scenes the way a user runs it, and writes the figures to its model card."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor
from transformers import DetrForObjectDetection, DetrImageProcessorPil

from .card import FIGURES_BEGIN, FIGURES_END
from .codes import CLASSES
from .dataset import CLUTTER_SEED, TEST_SEED
from .lettering import Typesetter
from .scene import Scene, random_scene

FRAMES = ((480, 640), (640, 480), (512, 512), (360, 640))  # height, width; scenes take turns
FOUND_AT, ALARM_AT, OVERLAP = 0.3, 0.7, 0.5


@dataclass(frozen=True)
class Figures:
    """COCO's AP, AP50 and AP75, the same per class, recall at FOUND_AT, and the shares of images with a false alarm."""

    scenes: int
    ap: float
    ap50: float
    ap75: float
    class_ap50: list[float]
    class_found: list[float]
    clutter: int
    clutter_alarms: float


class Finder:
    """An exported model with its own image processor."""

    def __init__(self, folder: Path, side: int | None = None) -> None:
        self._processor = DetrImageProcessorPil.from_pretrained(folder)
        if side is not None:
            self._processor.size = {"height": side, "width": side}
        self._model = DetrForObjectDetection.from_pretrained(folder).eval()

    @torch.no_grad()
    def answer(self, image: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Class logits (25, classes + 1) and corner boxes (25, 4) in pixels for an RGB uint8 image."""
        inputs = self._processor(images=image, return_tensors="pt", input_data_format="channels_last")
        outputs = self._model(**inputs)
        centre, size = outputs.pred_boxes[0, :, :2].numpy(), outputs.pred_boxes[0, :, 2:].numpy()
        scale = np.tile(image.shape[1::-1], 2)
        return outputs.logits[0], np.concatenate([centre - size / 2, centre + size / 2], 1) * scale

    def find(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (25, 4) in pixels, labels and scores of an RGB uint8 image, the best first."""
        logits, boxes = self.answer(image)
        scores, labels = (part.numpy() for part in logits.softmax(-1)[:, :-1].max(-1))
        order = np.argsort(-scores)
        return boxes[order], labels[order], scores[order]


def held_out(seed: int, count: int, empty: bool | None = None) -> Iterator[Scene]:
    """Scenes of a stream that training never saw, at the size they are rendered."""
    type_ = Typesetter()
    for index in range(count):
        height, width = FRAMES[index % len(FRAMES)]
        yield random_scene(np.random.default_rng([seed, index]), height, width, type_, empty)


def evaluate(finder: Finder, scenes: int = 1000, clutter: int = 500, seed: int = TEST_SEED) -> Figures:
    """Figures on `scenes` held-out scenes and on `clutter` scenes without codes."""
    annotations: list[dict[str, object]] = []
    results: list[list[float]] = []
    hits, totals = np.zeros(len(CLASSES)), np.zeros(len(CLASSES))
    for number, scene in enumerate(held_out(seed, scenes)):
        boxes, labels, scores = finder.find(scene.image)
        sides = boxes[:, 2:] - boxes[:, :2]
        for box, side, label, score in zip(boxes, sides, labels, scores, strict=True):
            results.append([number, *box[:2], *side, score, label])
        for box, label in zip(scene.boxes, scene.labels, strict=True):
            side = box[2:] - box[:2]
            identity = {"id": len(annotations) + 1, "image_id": number, "category_id": int(label), "iscrowd": 0}
            annotations.append({**identity, "bbox": [*map(float, (*box[:2], *side))], "area": float(side.prod())})
            likely = boxes[(labels == label) & (scores > FOUND_AT)]
            hits[label] += bool(len(likely)) and overlap(box, likely).max() >= OVERLAP
            totals[label] += 1
    stats, per_class = _coco(annotations, np.array(results), scenes)
    alarms = [finder.find(scene.image)[2][0] > ALARM_AT for scene in held_out(CLUTTER_SEED, clutter, empty=True)]
    found = (hits / np.maximum(totals, 1)).tolist()
    return Figures(scenes, *stats, per_class, found, clutter, float(np.mean(alarms)) if alarms else 0.0)


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU of one corner box (4,) with others (n, 4)."""
    inner = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None).prod(1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - inner
    return inner / np.maximum(union, 1e-9)


def _coco(annotations: list[dict[str, object]], results: np.ndarray, scenes: int) -> tuple[list[float], list[float]]:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES)]
        images = [{"id": number} for number in range(scenes)]
        truth.dataset = {"info": {}, "images": images, "annotations": annotations, "categories": categories}
        truth.createIndex()
        scored = COCOeval(truth, truth.loadRes(results), "bbox")
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    precision = scored.eval["precision"][0, :, :, 0, 2]  # IoU 0.5, every recall, class, all areas, 100 detections
    return [float(value) for value in scored.stats[:3]], [float(p[p > -1].mean()) for p in precision.T]


def describe(figures: Figures) -> str:
    """The figures as Markdown."""
    lines = [
        f"On {figures.scenes:,} held-out scenes (COCO's definitions, pycocotools): AP50 **{figures.ap50:.3f}**,",
        f"AP **{figures.ap:.3f}**, AP75 {figures.ap75:.3f}. A wrong guess above {ALARM_AT} on "
        f"**{figures.clutter_alarms:.1%}** of {figures.clutter:,} held-out",
        "scenes of clutter without codes.",
        "",
        f"| class | AP50 | found at score > {FOUND_AT} (IoU >= {OVERLAP}) |",
        "| --- | --- | --- |",
    ]
    rows = zip(CLASSES, figures.class_ap50, figures.class_found, strict=True)
    lines += [f"| {name} | {ap50:.3f} | {found:.1%} |" for name, ap50, found in rows]
    return "\n".join(lines)


def write_card(folder: Path, figures: Figures) -> None:
    """Puts the figures between the markers of the folder's README.md."""
    card = folder / "README.md"
    before, _, rest = card.read_text("utf-8").partition(FIGURES_BEGIN)
    _, _, after = rest.partition(FIGURES_END)
    card.write_text(f"{before}{FIGURES_BEGIN}\n{describe(figures)}\n{FIGURES_END}{after}", "utf-8")
