"""Listing, opening and detecting away from the window's thread; the newest request wins."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PyQt5.QtCore import QObject, QThread, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QImage

from desktop.images.lister import Lister, ListPart
from desktop.state.viewer import Stage
from desktop.viewer.prefetch import Prefetch, open_ready
from engine.batch.tiled import detect_tiled, pace
from engine.detect.detection import Detections
from engine.detect.tiling import Pace, Tiling
from engine.engine import Engine, Given, OpenedImage
from engine.errors import CancelledError, EngineError
from engine.image.source import Source

__all__ = [
    "AtTile",
    "DetectionRunner",
    "Done",
    "Event",
    "Failed",
    "Given",
    "Listed",
    "ListedMore",
    "Opened",
    "Pointed",
    "Recalled",
    "Request",
]

_LOOK_FOR_START = 1.0
"""Seconds after which the first image is opened, where the one to start with was not found yet."""


@dataclass(frozen=True, eq=False)
class Request:
    """One question to the engine; it does the steps it has something for.

    Attributes:
        model: The model to ask.
        given: What the user named, still to be listed; the first image in it is opened.
        start: The location of the image in `given` to open in place of the first; it falls back to the first.
        source: The image to open.
        image: The opened image to detect in.
        known: What is in the image of `source`, where that needs no model any more.
        fresh: Whether to ask the model even where its answer is known from earlier.
        detect: Whether to ask the model at all where its answer is not known.
        tiling: How to cut a large image into tiles, if at all.
    """

    model: str
    given: tuple[Given, ...] = ()
    start: str = ""
    source: Source | None = None
    image: OpenedImage | None = None
    known: Detections | None = None
    fresh: bool = False
    detect: bool = True
    tiling: Tiling | None = None

    @property
    def first_stage(self) -> Stage:
        """What is waited for first."""
        if self.given:
            return Stage.LISTING
        return Stage.OPENING if self.source is not None else Stage.LOADING_MODEL


@dataclass(frozen=True, eq=False)
class Listed:
    """The first of what the user named; a single image only once it could be opened.

    Attributes:
        sources: The images, in order.
        is_all: Whether there are no more.
    """

    sources: tuple[Source, ...]
    is_all: bool


@dataclass(frozen=True, eq=False)
class ListedMore:
    """More of what the user named, behind those before.

    Attributes:
        sources: The images, in order; may be none at the end.
        is_all: Whether there are no more.
    """

    sources: tuple[Source, ...]
    is_all: bool


@dataclass(frozen=True, eq=False)
class Pointed:
    """Which image of the list is opened first."""

    source: Source


@dataclass(frozen=True, eq=False)
class Opened:
    """An image was opened, and made ready for the canvas."""

    image: OpenedImage
    canvas_image: QImage


@dataclass(frozen=True, eq=False)
class Recalled:
    """What was known of the image, without asking a model."""

    detections: Detections


@dataclass(frozen=True)
class AtTile:
    """A tile is looked at, counted from 1, of so many."""

    at: int
    of: int


@dataclass(frozen=True, eq=False)
class Failed:
    """The request cannot be answered."""

    error: EngineError


@dataclass(frozen=True)
class Done:
    """The request is finished."""


Event = Stage | Listed | ListedMore | Pointed | Opened | Recalled | Pace | AtTile | Detections | Failed | Done


class _Worker(QObject):
    """Lives in the runner's thread."""

    happened = pyqtSignal(int, object)

    def __init__(self, engine: Engine, prefetch: Prefetch) -> None:
        super().__init__()
        self._engine = engine
        self._prefetch = prefetch
        self.newest = 0

    @pyqtSlot(int, object)
    def answer(self, number: int, request: Request) -> None:
        if number != self.newest:
            return
        try:
            for event in self._events(number, request):
                self.happened.emit(number, event)
        except CancelledError:
            pass
        except EngineError as error:
            self.happened.emit(number, Failed(error))
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            bug = EngineError("bug", "Something went wrong inside detrdesk; the log says what.")
            self.happened.emit(number, Failed(bug))

    def _events(self, number: int, request: Request) -> Iterator[Event]:
        def cancelled() -> bool:
            return number != self.newest

        image = request.image
        if request.source is not None:
            yield Stage.OPENING
            ready = self._prefetch.take(request.source, cancelled)
            if ready is None:
                ready = open_ready(self._engine, request.source, cancelled)
                self._prefetch.shows(ready)
            image = ready.image
            if request.given:
                yield Listed((request.source,), is_all=True)
            yield Opened(image, ready.canvas_image)
        known = request.known
        if known is None and image is not None and not request.fresh:
            known = self._engine.recall(image, request.model, request.tiling)
        if known is not None:
            yield Recalled(known)
        elif request.detect:
            yield Stage.LOADING_MODEL
            self._engine.load(request.model, cancelled)
            if image is not None:
                yield from self._pace(image, request.model)
                yield Stage.DETECTING
                yield detect_tiled(
                    self._engine,
                    image,
                    request.model,
                    request.tiling,
                    cancelled,
                    request.fresh,
                    progress=lambda at, of: self.happened.emit(number, AtTile(at, of)),
                )
        if image is not None:
            yield from self._pace(image, request.model)
        yield Done()

    def _pace(self, image: OpenedImage, model: str) -> Iterator[Pace]:
        found = pace(self._engine, image, model)
        if found is not None:
            yield found


class DetectionRunner(QObject):
    """Answers one request after the other in a thread of its own.

    A newer request makes an older one stale: it is dropped before it costs anything, and what it still reports is not
    passed on. Listing goes on beside the requests about images until something else is to be listed.

    Signals:
        happened(Event): What became of the newest request, and more of the list.
    """

    happened = pyqtSignal(object)
    _asked = pyqtSignal(int, object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = QThread()
        self._thread.setObjectName("detection")
        self._prefetch = Prefetch(engine)
        self._worker = _Worker(engine, self._prefetch)
        self._worker.moveToThread(self._thread)
        self._asked.connect(self._worker.answer)
        self._worker.happened.connect(self._pass_on)
        self._lister = Lister(self)
        self._lister.listed.connect(self._on_listed)
        self._lister.failed.connect(self._on_not_listed)
        self._to_start: Request | None = None
        self._first: Source | None = None
        self._listed_since = 0.0
        self._thread.start()

    @property
    def prefetch(self) -> Prefetch:
        """Opens the images that are probably asked for next."""
        return self._prefetch

    def ask(self, request: Request) -> None:
        """Answer this request next; it replaces the one before, but for an opening that only gets another model."""
        self._worker.newest += 1
        self._prefetch.hold(request.source)
        if request.given:
            self._to_start, self._first = request, None
            self._lister.start(request.given)
            return
        if request.source is not None:
            self._to_start = None
        elif self._to_start is not None:
            self._to_start = replace(self._to_start, model=request.model, tiling=request.tiling)
        self._asked.emit(self._worker.newest, request)

    def expect(self, sources: Sequence[Source], model: str, tiling: Tiling | None = None) -> None:
        """Be ready for these images, the likeliest first; call it when a request is done."""
        self._prefetch.expect(sources, model, tiling)

    def cancel(self) -> None:
        """Drop what is asked; what already runs finishes unheard, and a list that has begun goes on."""
        if self._first is None:
            self._lister.cancel()
        self._to_start = None
        self._worker.newest += 1

    def stop(self, seconds: float) -> bool:
        """Cancel, and tell whether every thread ended in time."""
        until = time.monotonic() + seconds
        self._worker.newest += 1
        self._prefetch.hold(None)
        self._lister.cancel()
        self._thread.quit()
        ended = self._thread.wait(int(seconds * 1000))
        for helper in (self._prefetch, self._lister):
            ended &= helper.stop(max(until - time.monotonic(), 0.1))
        return ended

    @pyqtSlot(int, object)
    def _pass_on(self, number: int, event: Event) -> None:
        if number == self._worker.newest:
            self.happened.emit(event)

    def _on_listed(self, batch: ListPart) -> None:
        if batch.is_first:
            self._first, self._listed_since = batch.sources[0], time.monotonic()
            if batch.is_last and len(batch.sources) == 1:
                self._start(batch.sources[0], is_single=True)
                return
            self.happened.emit(Listed(batch.sources, batch.is_last))
        elif batch.sources or batch.is_last:
            self.happened.emit(ListedMore(batch.sources, batch.is_last))
        self._start_within(batch)

    def _start_within(self, batch: ListPart) -> None:
        """Open the image to start with, once it is known which one that is."""
        if self._to_start is None:
            return
        start = self._to_start.start
        found = next((source for source in batch.sources if source.location == start), None) if start else self._first
        if found is not None:
            self._start(found)
        elif self._first is not None and (batch.is_last or time.monotonic() - self._listed_since > _LOOK_FOR_START):
            self._start(self._first)

    def _start(self, source: Source, is_single: bool = False) -> None:
        if self._to_start is None:
            return
        request, self._to_start = self._to_start, None
        self._worker.newest += 1
        if not is_single:
            self.happened.emit(Pointed(source))
        given = request.given if is_single else ()
        self._asked.emit(self._worker.newest, replace(request, given=given, source=source))

    def _on_not_listed(self, error: EngineError) -> None:
        if self._first is not None:
            self.happened.emit(ListedMore((), is_all=True))
            self.happened.emit(Failed(error))
        elif self._to_start is not None:
            self.happened.emit(Failed(error))
        self._to_start = None
