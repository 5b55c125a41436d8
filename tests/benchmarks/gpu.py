"""Images per second of a folder on a CUDA GPU, beside batches of the plain way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

from engine.batch.detect_many import Answer, detect_many
from engine.bench.paired import Figure, Way, compare_rates, ratio_at_least
from engine.engine import Engine
from engine.image.source import parse_source
from engine.runtimes.plain import PlainDetector
from tests.benchmarks.images import fill_with_photos
from tests.benchmarks.workspace import INPUT, Workspace

PHOTOS, BATCHES = 64, (1, 8, 32)
DEVICE = "cuda"


def reason_to_skip() -> str:
    """Return why nothing can be measured here; empty where there is a GPU."""
    return "" if torch.cuda.is_available() else "torch finds no CUDA GPU"


def figures(workspace: Workspace) -> Iterator[Figure]:
    """DETR-R50's shape in the precision that the engine chooses, from file to detections."""
    photos = fill_with_photos(workspace.folder / "photos gpu", PHOTOS, INPUT)
    plain = PlainDetector(workspace.detr_r50, DEVICE)
    with workspace.engine(workspace.detr_r50) as (engine, model):

        def ours() -> list[float]:
            return list(_model_seconds(engine, model, photos))

        measured = []
        for batch in BATCHES:
            name = f"GPU, folder of {PHOTOS} photos, DETR-R50 shape; plain: batches of {batch}"
            way = plain_batches(plain, photos, batch)
            measured.append(compare_rates(name, PHOTOS, ours, way, workspace.runs))
            yield measured[-1]
        quickest = max(measured, key=lambda figure: figure.plain.median if figure.plain else 0.0)
        yield replace(quickest, name="GPU, beside the plain way's best batch", target=ratio_at_least(8.0))
        shares = []
        for _ in range(workspace.runs):
            started = time.perf_counter()
            shares.append(100 * sum(ours()) / (time.perf_counter() - started))
        yield Figure.of("GPU, share of the time in which the model works", shares, unit="%")


def _model_seconds(engine: Engine, model: str, photos: list[Path]) -> Iterator[float]:
    """Detect in each image of the folder; yield the seconds spent in the model."""
    for answer in detect_many(engine, map(parse_source, photos), model, fresh=True):
        assert isinstance(answer, Answer)
        yield answer.found.timing.model / 1e3


def plain_batches(detector: PlainDetector, photos: list[Path], batch: int) -> Way:
    """Return a way that detects in the same images in batches."""

    def detect() -> None:
        for first in range(0, len(photos), batch):
            images = []
            for photo in photos[first : first + batch]:
                with Image.open(photo) as opened:
                    images.append(opened.convert("RGB"))
            detector.detect_batch(images, 0.5)

    return detect
