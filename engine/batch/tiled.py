"""Detecting in large images tile by tile: each tile has a turn of its own, so that nobody waits for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from engine.detect.detection import Detections, Timing
from engine.detect.merging import merge
from engine.detect.tiling import Pace, Tile, Tiling, tiles
from engine.engine import Engine, OpenedImage
from engine.errors import EngineError
from engine.inference.scheduler import Cancelled, Places
from engine.models.last_times import last_time

Progress = Callable[[int, int], None]
"""Is told which tile is looked at, from 1, and how many there are."""


def pace(engine: Engine, image: OpenedImage, model: str) -> Pace | None:
    """What tiles of an image cost; reads the files of a model that is not in memory, `None` where that fails."""
    try:
        takes = engine.recipe(model).preprocessing.input_size(*image.pixels.size)
        last = last_time(engine.catalog.path(engine.catalog.name_of(model)))
    except EngineError:
        return None
    return Pace(*image.pixels.size, takes, None if last is None else last.milliseconds)


def detect_tiled(
    engine: Engine,
    image: OpenedImage,
    model: str | None = None,
    tiling: Tiling | None = None,
    cancelled: Cancelled = bool,
    fresh: bool = False,
    places: Places | None = None,
    progress: Progress = lambda at, of: None,
) -> Detections:
    """Every detection in an opened image, cut into tiles where it is large; known answers are taken from the cache.

    The image is looked at as a whole, too: large things are found there.

    Args:
        engine: Whose model answers.
        image: What to look at.
        model: A name in the catalog or a checkpoint folder; `None` is the default model.
        tiling: How to cut; `None` is `Engine.detect_known`, and so is an image that is small enough.
        cancelled: Asked between the tiles; true gives up.
        fresh: Ask the model in any case.
        places: The caller's places in the queue; `None` goes ahead of all who have some.
        progress: Is told of each tile, in this thread.

    Raises:
        ModelError, DetectionError, CancelledError: as `Engine.detect_in`.
    """
    name = engine.catalog.name_of(model or engine.settings.model)
    if tiling is None:
        return engine.detect_known(image, name, cancelled, fresh, places)
    known = None if fresh else engine.recall(image, name, tiling)
    if known is not None:
        return known
    takes = engine.recipe(name).preprocessing.input_size(*image.pixels.size)
    cut = tiles(*image.pixels.size, takes, tiling)
    whole = engine.detect_known(image, name, cancelled, fresh, places)
    if not cut:
        return engine.keep(image, replace(whole, tiling=tiling))
    parts: list[tuple[Tile, Detections]] = []
    answered_by = {engine.fingerprint_of(whole)}
    for at, tile in enumerate(cut, start=1):
        progress(at, len(cut))
        part = engine.detect_in(_part(image, tile), name, cancelled, places)
        parts.append((tile, part))
        answered_by.add(engine.fingerprint_of(part))
    found = _merged(whole, parts, tiling)
    # where the model or its precision changed meanwhile, it is the answer of neither
    return engine.keep(image, found) if len(answered_by) == 1 else found


def _part(image: OpenedImage, tile: Tile) -> OpenedImage:
    """One tile as an image of its own; its pixels are copied now and not before."""
    started = time.perf_counter()
    pixels = image.pixels.crop(tile.edges)
    return OpenedImage(image.source, pixels, (time.perf_counter() - started) * 1e3)


def _merged(whole: Detections, parts: list[tuple[Tile, Detections]], tiling: Tiling) -> Detections:
    started = time.perf_counter()
    found = merge(whole, parts, tiling)
    merging = (time.perf_counter() - started) * 1e3
    timings = [whole.timing, *(part.timing for _, part in parts)]
    timing = Timing(
        decode=whole.timing.decode,
        preprocess=sum(each.preprocess for each in timings) + sum(part.timing.decode for _, part in parts),
        model=sum(each.model for each in timings),
        postprocess=sum(each.postprocess for each in timings) + merging,
    )
    return replace(found, timing=timing)
