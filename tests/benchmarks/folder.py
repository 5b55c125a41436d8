"""A folder of images, beside the plain loop and beside the model alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageOps

from engine.batch.detect_many import Answer, detect_many
from engine.bench.paired import Figure, Way, compare_rates, ratio_at_least
from engine.detect.recipe import prepare
from engine.engine import Engine
from engine.image.source import parse_source
from engine.runtimes.plain import PlainDetector
from tests.benchmarks.images import fill_with_photos
from tests.benchmarks.workspace import INPUT, STARTER, Workspace

PHOTOS, SIZE = 200, (640, 480)
LARGE_MODEL_PHOTOS = 10


def figures(workspace: Workspace) -> Iterator[Figure]:
    """The starter on 200 photos, and each model beside the model alone."""
    runs = (workspace.runs + 1) // 2
    photos = fill_with_photos(workspace.folder / "photos 640", PHOTOS, SIZE)
    plain = PlainDetector(STARTER)
    with workspace.engine(STARTER) as (engine, model):
        ours = _ours(engine, model, photos)
        name = f"folder of {PHOTOS} photos of 640 x 480, starter, converted before"
        yield compare_rates(name, PHOTOS, ours, lambda: _plain(plain, photos), runs, ratio_at_least(3.0))
        yield compare_rates(f"{name}; beside it the bare model", PHOTOS, ours, _bare(engine, model, photos), runs)
    photos = fill_with_photos(workspace.folder / "photos 1066", LARGE_MODEL_PHOTOS, INPUT)
    with workspace.engine(workspace.detr_r50) as (engine, model):
        ours, bare = _ours(engine, model, photos), _bare(engine, model, photos)
        name = (
            f"folder of {len(photos)} photos of 1066 x 800, DETR-R50 shape, converted before; beside it the bare model"
        )
        yield compare_rates(name, len(photos), ours, bare, runs, ratio_at_least(0.95))


def _ours(engine: Engine, model: str, photos: list[Path]) -> Way:
    def go_through() -> None:
        sources = [parse_source(photo) for photo in photos]
        for answer in detect_many(engine, sources, model, fresh=True):
            assert isinstance(answer, Answer)

    return go_through


def _bare(engine: Engine, model: str, photos: list[Path]) -> Way:
    """Run the model alone, on tensors made before."""
    detector = engine.load(model)
    tensors = [prepare(detector.recipe, engine.open(photo).pixels).tensors for photo in photos]

    def go_through() -> None:
        for each in tensors:
            detector.runtime.run(each)

    return go_through


def _plain(detector: PlainDetector, photos: list[Path]) -> None:
    for photo in photos:
        with Image.open(photo) as opened:
            detector.detect(ImageOps.exif_transpose(opened).convert("RGB"), 0.5)
