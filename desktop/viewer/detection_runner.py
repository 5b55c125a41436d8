"""Listing, opening and detecting in other threads; the newest request wins."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PyQt5.QtCore import QObject, QThread, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QImage

from desktop.images.lister import Lister, ListPart
from desktop.state.viewer import Stage
from desktop.viewer.prefetch import Prefetch, open_ready
from desktop.work.task_runner import report_bug
from engine.batch.tiled import detect_tiled, pace
from engine.detect.detection import Detections
from engine.detect.tiling import Pace, Tiling
from engine.engine import Engine
from engine.errors import CancelledError, EngineError
from engine.image.opened import OpenedImage
from engine.image.source import Source, SourceLike

__all__ = [
    "AtTile",
    "DetectionRunner",
    "Done",
    "Event",
    "Failed",
    "Listed",
    "ListedMore",
    "Opened",
    "Pointed",
    "Recalled",
    "Request",
    "SourceLike",
]

_LOOK_FOR_START = 1.0
"""Seconds after which the first image is opened, if the one of the saved position was not listed by then."""


@dataclass(frozen=True, eq=False)
class Request:
    """What to list, open and detect in; steps without input are skipped.

    Attributes:
        model: The name of the model.
        given: What the user opens, still to be listed; the first image in it is opened.
        start: The location of the image in `given` to open in place of the first, if it is listed.
        source: The image to open.
        image: The open image to detect in.
        known: The detections of `source`, where they are known.
        fresh: Whether to ignore the cache.
        detect: Whether to run the model where the cache has no detections.
        tiling: How to cut a large image into tiles; `None` does not.
    """

    model: str
    given: tuple[SourceLike, ...] = ()
    start: str = ""
    source: Source | None = None
    image: OpenedImage | None = None
    known: Detections | None = None
    fresh: bool = False
    detect: bool = True
    tiling: Tiling | None = None

    @property
    def first_stage(self) -> Stage:
        """What the user waits for first."""
        if self.given:
            return Stage.LISTING
        return Stage.OPENING if self.source is not None else Stage.LOADING_MODEL


@dataclass(frozen=True, eq=False)
class Listed:
    """The first part of a list; a single image is listed when it could be opened.

    Attributes:
        sources: The images, in order.
        is_all: Whether there are no more.
    """

    sources: tuple[Source, ...]
    is_all: bool


@dataclass(frozen=True, eq=False)
class ListedMore:
    """The next part of a list.

    Attributes:
        sources: The images, in order; the last part may have none.
        is_all: Whether there are no more.
    """

    sources: tuple[Source, ...]
    is_all: bool


@dataclass(frozen=True, eq=False)
class Noted:
    """What the user should know of a list."""

    notes: tuple[EngineError, ...]


@dataclass(frozen=True, eq=False)
class Pointed:
    """The image of the list that is opened first."""

    source: Source


@dataclass(frozen=True, eq=False)
class Opened:
    """An image was opened."""

    image: OpenedImage
    canvas_image: QImage


@dataclass(frozen=True, eq=False)
class Recalled:
    """The detections were known without running the model."""

    detections: Detections


@dataclass(frozen=True)
class AtTile:
    """The model is at tile number `at`, from 1, of `of`."""

    at: int
    of: int


@dataclass(frozen=True, eq=False)
class Failed:
    """The request failed."""

    error: EngineError


@dataclass(frozen=True)
class Done:
    """The request is finished."""


Event = Stage | Listed | ListedMore | Noted | Pointed | Opened | Recalled | Pace | AtTile | Detections | Failed | Done


class _Worker(QObject):
    """Handles requests in the runner's thread."""

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
            self.happened.emit(number, Failed(report_bug(error)))

    def _events(self, number: int, request: Request) -> Iterator[Event]:
        def cancelled() -> bool:
            return number != self.newest

        image = request.image
        if request.source is not None:
            yield Stage.OPENING
            ready = self._prefetch.take(request.source, cancelled)
            if ready is None:
                ready = open_ready(self._engine, request.source, cancelled)
                self._prefetch.set_shown(ready)
            image = ready.image
            if request.given:
                yield Listed((request.source,), is_all=True)
            yield Opened(image, ready.canvas_image)
        known = request.known
        if known is None and image is not None and not request.fresh:
            known = self._engine.known.recall(image, request.model, request.tiling)
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
    """Handles one request after the other in a QThread.

    A newer request replaces older ones: those that wait are dropped, and events of one that runs are not emitted.
    Listing runs beside the requests until something else is to be listed.

    Signals:
        happened(Event): An event of the newest request, or a part of the list.
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
        """Handle this request next; it replaces the one before, but a list that is opening only gets the new setup."""
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
        """Prefetch these images, the likeliest first; to be called when a request is done."""
        self._prefetch.expect(sources, model, tiling)

    def cancel(self) -> None:
        """Drop the request; what runs finishes without events, and a list that has begun goes on."""
        if self._first is None:
            self._lister.cancel()
        self._to_start = None
        self._worker.newest += 1

    def stop(self, seconds: float) -> bool:
        """Cancel everything and return whether every thread ended in time."""
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
        if batch.notes:
            self.happened.emit(Noted(batch.notes))
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
        """Open the first image, once it is known which one that is."""
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
