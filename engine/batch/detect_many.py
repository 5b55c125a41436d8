"""Detection in a list of images: while the model runs, the next images are read, decoded and preprocessed."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

from engine.batch.tiled import detect_tiled
from engine.detect.detection import Detections
from engine.detect.tiling import Tiling
from engine.engine import Engine
from engine.errors import CancelledError, DetectionError, EngineError, ModelError
from engine.image.opened import ImageFile, OpenedImage
from engine.image.source import Source
from engine.inference.scheduler import Cancelled, Rank
from engine.models.catalog.entry import known_as

_DECODERS = min(max(2, (os.cpu_count() or 2) // 2), 8)

_AHEAD = _DECODERS + 1
"""Images that are read and decoded before it is their turn."""

_LARGEST_AHEAD = 40_000_000
"""Pixels; a larger image is decoded in its turn, so that one of them is in memory at a time."""

_BATCH_IMAGES, _BATCH_PIXELS = 32, 64_000_000
"""Most images in one turn where nobody else waits, and most pixels in all of them."""

_PATIENCE_SECONDS = 0.01
"""In a turn, for the next image to be ready."""

_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class Answer:
    """The detections in one image.

    Attributes:
        source: Where it came from.
        content_hash: Of its content.
        found: Every detection in it.
        is_known: Whether they are from the cache.
        image: Its pixels; `None` where they were not needed.
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
    """Yield an answer for each image, in order; everyone else's turns at the model go first.

    A model that is renamed meanwhile goes on under its new name.

    Args:
        engine: Whose model and cache are used.
        sources: The images; consumed a few ahead.
        model: A name in the catalog or a checkpoint folder; `None` is the default model.
        cancelled: Polled; true ends it early.
        fresh: Run the model even where the cache has an answer.
        tiling: How large images are cut.

    Raises:
        ModelError: the model cannot be found or loaded, or was removed meanwhile.
    """
    name = engine.catalog.name_of(model or engine.settings.model)
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decoding") as pool:
        pipeline = _Pipeline(engine, sources, pool, _Options(cancelled, fresh, tiling), name)
        try:
            while pipeline.fill():
                yield from pipeline.finish()
        except CancelledError:
            return
        finally:
            pipeline.close()


@dataclass(frozen=True, slots=True)
class _Options:
    """See `detect_many`."""

    cancelled: Cancelled
    fresh: bool
    tiling: Tiling | None


_Prepared = Answer | OpenedImage | ImageFile
"""A known answer, an image that is ready for the model, or one that is too large to be decoded before its turn."""


class _Pipeline:
    """The two steps of each image: preparation in the pool, the turn at the model in the caller's thread."""

    def __init__(
        self, engine: Engine, sources: Iterable[Source], pool: ThreadPoolExecutor, options: _Options, name: str
    ) -> None:
        self._engine = engine
        self._sources = iter(sources)
        self._pool = pool
        self._options = options
        self._first_name, self._place = name, engine.catalog.entry(name).place
        self._reservation = engine.scheduler.behind(Rank.MANY)
        self._is_over = threading.Event()
        self._waiting: deque[tuple[Source, Future[_Prepared]]] = deque()
        self._batch_size = 1

    def fill(self) -> bool:
        """Start to prepare the next images; false where none are left."""
        while self._has_room():
            source = next(self._sources, None)
            if source is None:
                break
            self._waiting.append((source, self._pool.submit(self._prepare, source)))
        return bool(self._waiting)

    def _has_room(self) -> bool:
        """Return whether one more image may be prepared: a few in any case, more where they are small."""
        if len(self._waiting) <= _AHEAD:
            return True
        if len(self._waiting) >= _AHEAD + self._batch_size:
            return False
        ready = [future.result() for _, future in self._waiting if future.done() and future.exception() is None]
        pixels = sum(_pixels(each) for each in ready if isinstance(each, OpenedImage))
        return len(self._waiting) - len(ready) <= _AHEAD and pixels < _BATCH_PIXELS

    def finish(self) -> Iterator[Answer | Failure]:
        """Yield the answers of the first image that waits, and of those in the same batch."""
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
        self._batch_size = self._size_of_batch(first)
        if self._batch_size == 1:
            yield self._alone(source, first)
            return
        group = [(source, first)]
        try:
            yield from self._batch(group)
        except DetectionError:  # for one of them, or for all as a batch
            yield from (self._alone(*each) for each in group)

    def close(self) -> None:
        """Prepare no more images."""
        self._is_over.set()
        for _, future in self._waiting:
            future.cancel()

    def _prepare(self, source: Source) -> _Prepared:
        file = self._engine.read(source, self._is_given_up)
        return self._by_name(lambda name: self._prepare_for(file, name))

    def _prepare_for(self, file: ImageFile, name: str) -> _Prepared:
        options = self._options
        known = None if options.fresh else self._engine.known.recall(file, name, options.tiling)
        if known is not None:
            return Answer(file.source, file.content_hash, known, is_known=True)
        if self._is_given_up():
            raise CancelledError
        try:
            image = self._engine.decode(file, _LARGEST_AHEAD)
        except EngineError as error:
            if error.code != "too_many_pixels":
                raise
            return file
        return image if options.tiling else self._engine.prepare(image, name, self._is_given_up)

    def _prepared(self, future: Future[_Prepared]) -> Answer | OpenedImage:
        if self._options.cancelled():
            raise CancelledError
        ready = future.result()
        return self._engine.decode(ready) if isinstance(ready, ImageFile) else ready

    def _size_of_batch(self, image: OpenedImage) -> int:
        """Return how many images like this one the model runs faster in a batch."""
        detector = self._engine.loaded(self._name())
        if detector is None or image.prepared is None or 2 * _pixels(image) > _BATCH_PIXELS:
            return 1
        return detector.runtime.batch_size

    def _batch(self, group: list[tuple[Source, OpenedImage]]) -> Iterator[Answer]:
        """Yield the answers for a group, which grows by the images like it that are ready when the model is."""

        def detect(name: str) -> list[Detections]:
            images = chain([image for _, image in group], self._others_like(group))
            return self._engine.detect_batch(images, name, self._options.cancelled, self._reservation)

        detections = self._by_name(detect)
        return (_answer(source, image, found) for (source, image), found in zip(group, detections, strict=True))

    def _others_like(self, group: list[tuple[Source, OpenedImage]]) -> Iterator[OpenedImage]:
        """Yield the next images as long as they are ready and like the first, and nobody else waits for the model."""
        first = group[0][1]
        room = _BATCH_PIXELS - sum(_pixels(image) for _, image in group)
        while len(group) < _BATCH_IMAGES and not self._is_wanted_elsewhere() and self.fill():
            source, future = self._waiting[0]
            image = _ready(future)
            if image is None or not _is_like(first, image) or _pixels(image) > room:
                return
            self._waiting.popleft()
            group.append((source, image))
            room -= _pixels(image)
            yield image

    def _is_wanted_elsewhere(self) -> bool:
        return self._options.cancelled() or self._engine.scheduler.is_awaited

    def _alone(self, source: Source, image: OpenedImage) -> Answer | Failure:
        options = self._options

        def detect(name: str) -> Detections:
            how = options.cancelled, options.fresh, self._reservation
            return detect_tiled(self._engine, image, name, options.tiling, *how)

        try:
            return _answer(source, image, self._by_name(detect))
        except (ModelError, CancelledError):
            raise
        except EngineError as error:
            return Failure(source, error)

    def _is_given_up(self) -> bool:
        return self._is_over.is_set() or self._options.cancelled()

    def _by_name(self, step: Callable[[str], _Result]) -> _Result:
        """Run a step with the model's name, again where the name was changed or given to another model meanwhile.

        Raises:
            ModelError: the model was removed, or the step raised it.
        """
        while True:
            name = self._name()
            try:
                result = step(name)
            except ModelError:
                if self._name() == name:
                    raise
                continue
            if self._name() == name:
                return result

    def _name(self) -> str:
        """Return the current name of the model.

        Raises:
            ModelError: it is not in the catalog any more.
        """
        entries, first = self._engine.catalog.entries, self._first_name
        if any(entry.name == first and entry.place == self._place for entry in entries):
            return first
        name = known_as(self._place, entries)
        if name is None:
            self._engine.catalog.entry(first)
            message = "The model {model} was removed; another one has its name now."
            raise ModelError("model_replaced", message, model=first)
        return name


def _answer(source: Source, image: OpenedImage, found: Detections) -> Answer:
    return Answer(source, image.content_hash, found, is_known=False, image=replace(image, prepared=None))


def _pixels(image: OpenedImage) -> int:
    return image.pixels.width * image.pixels.height


def _ready(future: Future[_Prepared]) -> OpenedImage | None:
    """Return an image if it is ready now or in a moment; its error is reported when it is the first."""
    try:
        ready = future.result(_PATIENCE_SECONDS)
    except Exception:
        return None
    return ready if isinstance(ready, OpenedImage) else None


def _is_like(first: OpenedImage, other: OpenedImage) -> bool:
    """Return whether both are prepared for inputs of the same size."""
    one, two = first.prepared, other.prepared
    return one is not None and two is not None and one.recipe == two.recipe and one.input_size == two.input_size
