"""Opening and detecting away from the window's thread; the newest request wins."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from PyQt5.QtCore import QObject, QThread, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QImage

from desktop.pixels import to_qimage
from desktop.viewer_state import Stage
from engine.detect.detection import Detections
from engine.engine import Engine, OpenedImage
from engine.errors import CancelledError, EngineError
from engine.image.source import Source, expand_sources

Given = str | os.PathLike[str] | bytes | Source


@dataclass(frozen=True, eq=False)
class Request:
    """One question to the engine; it does the steps it has something for.

    Attributes:
        model: The model to ask; loaded in any case.
        given: What the user named, still to be listed.
        source: The image to open.
        image: The opened image to detect in.
        known: What is in the image of `source`, where that needs no model any more.
    """

    model: str
    given: tuple[Given, ...] = ()
    source: Source | None = None
    image: OpenedImage | None = None
    known: Detections | None = None

    @property
    def first_stage(self) -> Stage:
        """What is waited for first."""
        if self.given:
            return Stage.LISTING
        return Stage.OPENING if self.source is not None else Stage.LOADING_MODEL


@dataclass(frozen=True, eq=False)
class Listed:
    """What the user named, folders looked through; a single image only once it could be opened."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, eq=False)
class Opened:
    """An image was opened, and made ready for the canvas."""

    image: OpenedImage
    canvas_image: QImage


@dataclass(frozen=True, eq=False)
class Recalled:
    """What was known of the image, without asking a model."""

    detections: Detections


@dataclass(frozen=True, eq=False)
class Failed:
    """The request cannot be answered."""

    error: EngineError


@dataclass(frozen=True)
class Done:
    """The request is finished."""


Event = Stage | Listed | Opened | Recalled | Detections | Failed | Done


class _Worker(QObject):
    """Lives in the runner's thread."""

    happened = pyqtSignal(int, object)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
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

        sources: tuple[Source, ...] = ()
        source, image = request.source, request.image
        if request.given:
            yield Stage.LISTING
            sources = tuple(expand_sources(request.given))
            if not sources:
                raise EngineError("no_images", "There are no images in this folder.")
            source = sources[0]
            if len(sources) > 1:
                yield Listed(sources)
        if source is not None:
            yield Stage.OPENING
            image = self._engine.open(source, cancelled)
            if len(sources) == 1:
                yield Listed(sources)
            yield Opened(image, to_qimage(image.pixels))
        if request.known is not None:
            yield Recalled(request.known)
            yield Done()
            return
        yield Stage.LOADING_MODEL
        self._engine.load(request.model)
        if image is not None:
            yield Stage.DETECTING
            yield self._engine.detect_in(image, request.model, cancelled)
        yield Done()


class DetectionRunner(QObject):
    """Answers one request after the other in a thread of its own.

    A newer request makes an older one stale: it is dropped before it costs anything, and what it still reports is not
    passed on.

    Signals:
        happened(Event): What became of the newest request.
    """

    happened = pyqtSignal(object)
    _asked = pyqtSignal(int, object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = QThread()
        self._thread.setObjectName("detection")
        self._worker = _Worker(engine)
        self._worker.moveToThread(self._thread)
        self._asked.connect(self._worker.answer)
        self._worker.happened.connect(self._pass_on)
        self._thread.start()

    def ask(self, request: Request) -> None:
        """Answer this request next; it replaces the one before."""
        self._worker.newest += 1
        self._asked.emit(self._worker.newest, request)

    def cancel(self) -> None:
        """Drop what is asked; what already runs finishes unheard."""
        self._worker.newest += 1

    def stop(self, seconds: float) -> bool:
        """Cancel, and tell whether the thread ended in time."""
        self.cancel()
        self._thread.quit()
        return self._thread.wait(int(seconds * 1000))

    @pyqtSlot(int, object)
    def _pass_on(self, number: int, event: Event) -> None:
        if number == self._worker.newest:
            self.happened.emit(event)
