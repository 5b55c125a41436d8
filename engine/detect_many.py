"""Detecting in many images, one after the other: while the model runs, the next ones are made ready for it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from engine.detect.detection import Detections
from engine.detect.scheduler import Cancelled, Rank
from engine.detect.tiling import Tiling
from engine.engine import Engine, ImageFile, OpenedImage
from engine.errors import CancelledError, DetectionError, EngineError, ModelError
from engine.image.source import Source
from engine.tiled import detect_tiled

_DECODERS = min(max(2, (os.cpu_count() or 2) // 2), 8)

_AHEAD = _DECODERS + 1
"""Images that are read and decoded before it is their turn."""

_LARGEST_AHEAD = 40_000_000
"""Pixels; a larger image is decoded only in its turn, so that there is one of them in memory."""

_LARGEST_TOGETHER = 16_000_000
"""Pixels; larger images take longer to decode than several quick answers: no more of them are kept in memory."""


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
    pipeline = _Pipeline(engine, engine.catalog.name_of(model or engine.settings.model), cancelled, fresh, tiling)
    waiting: _Waiting = deque()
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decoding") as pool:
        try:
            for source in sources:
                waiting.append((source, pool.submit(pipeline.prepare, source)))
                if len(waiting) >= _AHEAD + pipeline.at_once:
                    yield from pipeline.finish(waiting)
            while waiting:
                yield from pipeline.finish(waiting)
        except CancelledError:
            return
        finally:
            pipeline.is_over.set()
            for _, prepared in waiting:
                prepared.cancel()


_Waiting = deque[tuple[Source, Future[Answer | OpenedImage | ImageFile]]]


class _Pipeline:
    """The two steps of each image.

    Attributes:
        is_over: Set when nothing more is to be prepared.
        at_once: How many images are detected in at once, at most.
    """

    def __init__(self, engine: Engine, model: str, cancelled: Cancelled, fresh: bool, tiling: Tiling | None) -> None:
        self.is_over = threading.Event()
        self._engine = engine
        self._model = model
        self._cancelled = cancelled
        self._fresh = fresh
        self._tiling = tiling
        self._places = engine.scheduler.behind(Rank.MANY)
        self.at_once = 1

    def prepare(self, source: Source) -> Answer | OpenedImage | ImageFile:
        """As far as it goes without a turn at the model: known detections, a prepared image, or a large file."""
        file = self._engine.read(source, self._is_given_up)
        known = None if self._fresh else self._engine.recall(file, self._model, self._tiling)
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
        return image if self._tiling else self._engine.prepare(image, self._model, self._is_given_up)

    def finish(self, waiting: _Waiting) -> Iterator[Answer | Failure]:
        """The rest of the first that waits and of those that go with it, in the caller's thread."""
        source, prepared = waiting.popleft()
        try:
            first = self._prepared(prepared)
        except (ModelError, CancelledError):
            raise
        except EngineError as error:
            yield Failure(source, error)
            return
        if isinstance(first, Answer):
            yield first
            return
        group = [(source, first), *self._along(first, waiting)]
        yield from self._together(group) or (self._alone(*each) for each in group)

    def _prepared(self, prepared: Future[Answer | OpenedImage | ImageFile]) -> Answer | OpenedImage:
        if self._cancelled():
            raise CancelledError
        ready = prepared.result()
        return self._engine.decode(ready) if isinstance(ready, ImageFile) else ready

    def _along(self, first: OpenedImage, waiting: _Waiting) -> list[tuple[Source, OpenedImage]]:
        """Those that can be answered together with the first, as far as they are prepared by now."""
        self.at_once = self._at_once(first)
        along: list[tuple[Source, OpenedImage]] = []
        while waiting and len(along) + 1 < self.at_once and _goes_with(first, waiting[0][1]):
            source, prepared = waiting.popleft()
            image = prepared.result()
            assert isinstance(image, OpenedImage)
            along.append((source, image))
        return along

    def _at_once(self, image: OpenedImage) -> int:
        """How many images like this one are to be answered together."""
        detector = self._engine.loaded(self._model)
        is_large = image.pixels.width * image.pixels.height > _LARGEST_TOGETHER
        return 1 if detector is None or is_large or image.prepared is None else detector.runtime.at_once

    def _together(self, group: list[tuple[Source, OpenedImage]]) -> list[Answer]:
        """The answers for several images; none where there is but one, or each must be asked about alone."""
        if len(group) == 1:
            return []
        images = [image for _, image in group]
        try:
            founds = self._engine.detect_together(images, self._model, self._cancelled, self._places)
        except DetectionError:
            return []
        answers = zip(group, founds, strict=True)
        return [_answer(source, image, found) for (source, image), found in answers]

    def _alone(self, source: Source, image: OpenedImage) -> Answer | Failure:
        how = self._cancelled, self._fresh, self._places
        try:
            return _answer(source, image, detect_tiled(self._engine, image, self._model, self._tiling, *how))
        except (ModelError, CancelledError):
            raise
        except EngineError as error:
            return Failure(source, error)

    def _is_given_up(self) -> bool:
        return self.is_over.is_set() or self._cancelled()


def _answer(source: Source, image: OpenedImage, found: Detections) -> Answer:
    return Answer(source, image.content_hash, found, is_known=False, image=image)


def _goes_with(first: OpenedImage, other: Future[Answer | OpenedImage | ImageFile]) -> bool:
    """Whether an image is prepared, and for an input of the same size."""
    if not other.done() or other.exception() is not None:
        return False
    image = other.result()
    return (
        isinstance(image, OpenedImage)
        and first.prepared is not None
        and image.prepared is not None
        and image.prepared.recipe == first.prepared.recipe
        and image.prepared.input_size == first.prepared.input_size
    )
