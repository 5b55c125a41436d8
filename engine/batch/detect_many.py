"""Detecting in many images, one after the other: while the model runs, the next ones are made ready for it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from engine.batch.tiled import detect_tiled
from engine.detect.detection import Detections
from engine.detect.tiling import Tiling
from engine.engine import Engine, ImageFile, OpenedImage
from engine.errors import CancelledError, DetectionError, EngineError, ModelError
from engine.image.source import Source
from engine.inference.scheduler import Cancelled, Rank

_DECODERS = min(max(2, (os.cpu_count() or 2) // 2), 8)

_AHEAD = _DECODERS + 1
"""Images that are read and decoded before it is their turn."""

_LARGEST_AHEAD = 40_000_000
"""Pixels; a larger image is decoded only in its turn, so that there is one of them in memory."""

_MOST_TOGETHER, _PIXELS_TOGETHER = 32, 64_000_000
"""Images that are answered in one turn where nobody else waits, and how large they may be together."""

_PATIENCE = 0.01
"""Seconds in a turn that the next image may take to be ready."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What is in one image.

    Attributes:
        source: Where it came from.
        content_hash: Names its content.
        found: Every detection in it.
        is_known: Whether the answer is from an earlier time.
        image: Its pixels; `None` where nobody needed them for the answer.
    """

    source: Source
    content_hash: str
    found: Detections
    is_known: bool
    image: OpenedImage | None = None


@dataclass(frozen=True, eq=False)
class Failure:
    """An image that could not be opened or detected in."""

    source: Source
    error: EngineError


def detect_many(
    engine: Engine,
    sources: Iterable[Source],
    model: str | None = None,
    cancelled: Cancelled = bool,
    fresh: bool = False,
    tiling: Tiling | None = None,
) -> Generator[Answer | Failure, None, None]:
    """An answer for each image, in order; everyone else's turns at the model go first.

    Args:
        engine: Whose cache knows images from earlier, and whose model answers for the others.
        sources: The images; taken a few ahead.
        model: A name in the catalog or a checkpoint folder; `None` is the default model.
        cancelled: True ends it early.
        fresh: Ask the model in any case.
        tiling: How to cut large images.

    Raises:
        ModelError: the model cannot be found or loaded.
    """
    name = engine.catalog.name_of(model or engine.settings.model)
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decoding") as pool:
        pipeline = _Pipeline(engine, sources, pool, _Look(name, cancelled, fresh, tiling))
        try:
            while pipeline.fill():
                yield from pipeline.finish()
        except CancelledError:
            return
        finally:
            pipeline.close()


@dataclass(frozen=True, slots=True)
class _Look:
    """How each image is looked at; see `detect_many`."""

    model: str
    cancelled: Cancelled
    fresh: bool
    tiling: Tiling | None


_Prepared = Answer | OpenedImage | ImageFile
"""A known answer, an image that is ready for the model, or one that is too large to be decoded before its turn."""


class _Pipeline:
    """The two steps of each image: what needs no turn at the model in the pool, the rest in the caller's thread."""

    def __init__(self, engine: Engine, sources: Iterable[Source], pool: ThreadPoolExecutor, look: _Look) -> None:
        self._engine = engine
        self._sources = iter(sources)
        self._pool = pool
        self._look = look
        self._places = engine.scheduler.behind(Rank.MANY)
        self._is_over = threading.Event()
        self._waiting: deque[tuple[Source, Future[_Prepared]]] = deque()
        self._at_once = 1

    def fill(self) -> bool:
        """Have the next images prepared; false where none are left."""
        while self._has_room():
            source = next(self._sources, None)
            if source is None:
                break
            self._waiting.append((source, self._pool.submit(self._prepare, source)))
        return bool(self._waiting)

    def _has_room(self) -> bool:
        """Whether one more image may be prepared: a few in any case, more where they are small."""
        if len(self._waiting) <= _AHEAD:
            return True
        if len(self._waiting) >= _AHEAD + self._at_once:
            return False
        ready = [future.result() for _, future in self._waiting if future.done() and future.exception() is None]
        pixels = sum(_pixels(each) for each in ready if isinstance(each, OpenedImage))
        return len(self._waiting) - len(ready) <= _AHEAD and pixels < _PIXELS_TOGETHER

    def finish(self) -> Iterator[Answer | Failure]:
        """The rest of the first that waits, and of those that may be answered in the same turn."""
        source, future = self._waiting.popleft()
        try:
            first = self._prepared(future)
        except (ModelError, CancelledError):
            raise
        except EngineError as error:
            yield Failure(source, error)
            return
        if isinstance(first, Answer):
            yield first
            return
        self._at_once = self._worth_together(first)
        if self._at_once == 1:
            yield self._alone(source, first)
            return
        group = [(source, first)]
        try:
            yield from self._together(group)
        except DetectionError:  # at one of them, or at all together
            yield from (self._alone(*each) for each in group)

    def close(self) -> None:
        """Nothing more is to be prepared."""
        self._is_over.set()
        for _, future in self._waiting:
            future.cancel()

    def _prepare(self, source: Source) -> _Prepared:
        look = self._look
        file = self._engine.read(source, self._is_given_up)
        known = None if look.fresh else self._engine.recall(file, look.model, look.tiling)
        if known is not None:
            return Answer(source, file.content_hash, known, is_known=True)
        if self._is_given_up():
            raise CancelledError
        try:
            image = self._engine.decode(file, _LARGEST_AHEAD)
        except EngineError as error:
            if error.code != "too_many_pixels":
                raise
            return file
        return image if look.tiling else self._engine.prepare(image, look.model, self._is_given_up)

    def _prepared(self, future: Future[_Prepared]) -> Answer | OpenedImage:
        if self._look.cancelled():
            raise CancelledError
        ready = future.result()
        return self._engine.decode(ready) if isinstance(ready, ImageFile) else ready

    def _worth_together(self, image: OpenedImage) -> int:
        """How many images like this one the model answers quicker together."""
        detector = self._engine.loaded(self._look.model)
        if detector is None or image.prepared is None or 2 * _pixels(image) > _PIXELS_TOGETHER:
            return 1
        return detector.runtime.at_once

    def _together(self, group: list[tuple[Source, OpenedImage]]) -> Iterator[Answer]:
        """The answers for an image and those that are ready when the model is; they are added to the group."""
        images = self._ready_ones(group)
        founds = self._engine.detect_together(images, self._look.model, self._look.cancelled, self._places)
        return (_answer(source, image, found) for (source, image), found in zip(group, founds, strict=True))

    def _ready_ones(self, group: list[tuple[Source, OpenedImage]]) -> Iterator[OpenedImage]:
        """The first image, and as long as nobody else waits for the model those behind it that are like it."""
        first = group[0][1]
        yield first
        room = _PIXELS_TOGETHER - _pixels(first)
        while len(group) < _MOST_TOGETHER and not self._is_wanted_elsewhere() and self.fill():
            source, future = self._waiting[0]
            image = _ready(future)
            if image is None or not _is_like(first, image) or _pixels(image) > room:
                return
            self._waiting.popleft()
            group.append((source, image))
            room -= _pixels(image)
            yield image

    def _is_wanted_elsewhere(self) -> bool:
        return self._look.cancelled() or self._engine.scheduler.is_awaited

    def _alone(self, source: Source, image: OpenedImage) -> Answer | Failure:
        look = self._look
        how = look.cancelled, look.fresh, self._places
        try:
            return _answer(source, image, detect_tiled(self._engine, image, look.model, look.tiling, *how))
        except (ModelError, CancelledError):
            raise
        except EngineError as error:
            return Failure(source, error)

    def _is_given_up(self) -> bool:
        return self._is_over.is_set() or self._look.cancelled()


def _answer(source: Source, image: OpenedImage, found: Detections) -> Answer:
    return Answer(source, image.content_hash, found, is_known=False, image=replace(image, prepared=None))


def _pixels(image: OpenedImage) -> int:
    return image.pixels.width * image.pixels.height


def _ready(future: Future[_Prepared]) -> OpenedImage | None:
    """An image, if it is ready for the model now or in a moment; what is wrong with it is told when it is the first."""
    try:
        ready = future.result(_PATIENCE)
    except Exception:
        return None
    return ready if isinstance(ready, OpenedImage) else None


def _is_like(first: OpenedImage, other: OpenedImage) -> bool:
    """Whether both are prepared for inputs of the same size."""
    one, two = first.prepared, other.prepared
    return one is not None and two is not None and one.recipe == two.recipe and one.input_size == two.input_size
