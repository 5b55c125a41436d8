"""Detection in large images tile by tile; each tile has a turn of its own, so that nobody waits for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from engine.detect.detection import Detections, Timing
from engine.detect.merging import merge
from engine.detect.tiling import Pace, Tile, Tiling, tiles
from engine.engine import Engine
from engine.errors import EngineError
from engine.image.opened import OpenedImage
from engine.inference.scheduler import Cancelled, Reservation
from engine.models.last_times import last_time

Progress = Callable[[int, int], None]
"""Receives the number of the tile, from 1, and how many there are."""


def pace(engine: Engine, image: OpenedImage, model: str) -> Pace | None:
    """Return what tiles of an image cost; reads the files of a model that is not in memory, `None` where that fails."""
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
    reservation: Reservation | None = None,
    progress: Progress = lambda at, of: None,
) -> Detections:
    """Return every detection in an opened image, cut into tiles where it is large; from the cache where it is known.

    The model also runs on the whole image, in which large objects are found.

    Args:
        engine: Whose model and cache are used.
        image: The image.
        model: A name in the catalog or a checkpoint folder; `None` is the default model.
        tiling: How to cut; `None`, or an image that is small enough, means `Engine.detect_known`.
        cancelled: Polled between the tiles; true gives up.
        fresh: Run the model even where the cache has an answer.
        reservation: The caller's place in the queue; `None` goes before all who have one.
        progress: Called for each tile, in this thread.

    Raises:
        ModelError, DetectionError, CancelledError: as `Engine.detect_in`.
    """
    name = engine.catalog.name_of(model or engine.settings.model)
    if tiling is None:
        return engine.detect_known(image, name, cancelled, fresh, reservation)
    known = None if fresh else engine.known.recall(image, name, tiling)
    if known is not None:
        return known
    takes = engine.recipe(name).preprocessing.input_size(*image.pixels.size)
    cut = tiles(*image.pixels.size, takes, tiling)
    whole = engine.detect_known(image, name, cancelled, fresh, reservation)
    if not cut:
        return engine.known.keep(image, replace(whole, tiling=tiling))
    parts: list[tuple[Tile, Detections]] = []
    keys = {engine.known.key_of(whole)}
    for at, tile in enumerate(cut, start=1):
        progress(at, len(cut))
        part = engine.detect_in(_part(image, tile), name, cancelled, reservation)
        parts.append((tile, part))
        keys.add(engine.known.key_of(part))
    found = _merged(whole, parts, tiling)
    # where the model or its precision changed meanwhile, the result belongs to neither
    return engine.known.keep(image, found) if len(keys) == 1 else found


def _part(image: OpenedImage, tile: Tile) -> OpenedImage:
    """Copy one tile to an image of its own."""
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
