"""Detecting in many images, one after the other: while the model runs, the next ones are made ready for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from engine.detect.detection import Detections
from engine.detect.scheduler import Cancelled, Rank
from engine.detect.tiling import Tiling
from engine.engine import Engine, ImageFile, OpenedImage
from engine.errors import CancelledError, EngineError, ModelError
from engine.image.source import Source
from engine.tiled import detect_tiled

_AHEAD = 3
"""Images that are read and decoded before it is their turn."""

_DECODERS = 2

_LARGEST_AHEAD = 40_000_000
"""Pixels; a larger image is decoded only in its turn, so that there is one of them in memory."""


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
    waiting: deque[tuple[Source, Future[Answer | OpenedImage | ImageFile]]] = deque()
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decoding") as pool:
        try:
            for source in sources:
                waiting.append((source, pool.submit(pipeline.prepare, source)))
                if len(waiting) > _AHEAD:
                    yield pipeline.finish(*waiting.popleft())
            while waiting:
                yield pipeline.finish(*waiting.popleft())
        except CancelledError:
            return
        finally:
            pipeline.is_over.set()
            for _, prepared in waiting:
                prepared.cancel()


class _Pipeline:
    """The two steps of each image."""

    def __init__(self, engine: Engine, model: str, cancelled: Cancelled, fresh: bool, tiling: Tiling | None) -> None:
        self.is_over = threading.Event()
        self._engine = engine
        self._model = model
        self._cancelled = cancelled
        self._fresh = fresh
        self._tiling = tiling
        self._places = engine.scheduler.behind(Rank.MANY)

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

    def finish(self, source: Source, prepared: Future[Answer | OpenedImage | ImageFile]) -> Answer | Failure:
        """The rest, in the caller's thread."""
        if self._cancelled():
            raise CancelledError
        try:
            ready = prepared.result()
            if isinstance(ready, Answer):
                return ready
            image = self._engine.decode(ready) if isinstance(ready, ImageFile) else ready
            how = self._cancelled, self._fresh, self._places
            found = detect_tiled(self._engine, image, self._model, self._tiling, *how)
            return Answer(source, image.content_hash, found, is_known=False, image=image)
        except (ModelError, CancelledError):
            raise
        except EngineError as error:
            return Failure(source, error)

    def _is_given_up(self) -> bool:
        return self.is_over.is_set() or self._cancelled()
