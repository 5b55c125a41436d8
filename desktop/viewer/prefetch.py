"""Opening the images that are probably looked at next, before they are asked for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from PyQt5.QtGui import QImage

from desktop.images.pixels import to_qimage
from desktop.state.detection_setup import DetectionSetup
from engine.batch.tiled import detect_tiled
from engine.detect.tiling import Tiling
from engine.engine import Engine, OpenedImage
from engine.errors import CancelledError, EngineError
from engine.image.source import Source
from engine.inference.scheduler import Cancelled, Rank

MOST_BYTES = 400_000_000
LARGEST_IMAGE = 40_000_000
"""Pixels; larger ones wait until they are asked for."""

_BYTES_A_PIXEL = 8
"""An opened image is kept twice: for the model and for the canvas, four bytes a pixel each."""

_MOST_URLS = 2

Stamp = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Ready:
    """An opened image.

    Attributes:
        image: For the model.
        canvas_image: The same for the canvas.
        stamp: The state of its file when it was read; `None` where there is no file.
    """

    image: OpenedImage
    canvas_image: QImage
    stamp: Stamp | None

    @property
    def bytes(self) -> int:
        """The memory it takes."""
        return self.canvas_image.width() * self.canvas_image.height() * _BYTES_A_PIXEL


def open_ready(engine: Engine, source: Source, cancelled: Cancelled) -> Ready:
    """Open an image for model and canvas.

    Raises:
        EngineError: as `Engine.open`.
    """
    stamp = _stamp(source)
    image = engine.open(source, cancelled)
    return Ready(image, to_qimage(image.pixels), stamp)


class Prefetch:
    """Opens images in a thread of its own and, where the model is in memory already, asks it about them.

    Nothing here is ever waited for, but an image that is just being opened when it is asked for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wanted: tuple[Source, ...] = ()
        self._setup = DetectionSetup("")
        self._round = 0
        self._has_work = self._has_ended = False
        self._opening: Source | None = None
        self._asked: Source | None = None
        self._shown: Ready | None = None
        self._ready: list[Ready] = []

    @property
    def ready(self) -> tuple[Ready, ...]:
        """The images that are open, the shown one among them."""
        return tuple(self._ready)

    def expect(self, sources: Sequence[Source], model: str, tiling: Tiling | None = None) -> None:
        """Be ready for these, the likeliest first, and for what is shown; the others are let go."""
        urls = [source for source in sources if source.kind == "url"][:_MOST_URLS]
        with self._changed:
            self._round += 1
            self._wanted = tuple(source for source in sources if source.kind != "url" or _is_in(source, urls))
            self._setup = DetectionSetup(model, tiling)
            self._ready = [each for each in self._ready if each is self._shown or self._is_kept(each)]
            while self._room() < 0 and self._let_go_of_one(self._wanted):
                pass
            self._has_work = True
            self._changed.notify_all()
            if self._thread is None and not self._has_ended:
                self._thread = threading.Thread(target=self._work, name="prefetch", daemon=True)
                self._thread.start()

    def hold(self, asked: Source | None) -> None:
        """Begin nothing new until the next `expect`: the user asked for something, an image maybe."""
        with self._changed:
            self._round += 1
            self._has_work = False
            self._asked = asked

    def take(self, source: Source, cancelled: Cancelled) -> Ready | None:
        """The image, if it was opened and its file is still the same; waits while it is being opened.

        Raises:
            CancelledError: `cancelled` said so while waiting.
        """
        with self._changed:
            while self._opening is source:
                if cancelled():
                    raise CancelledError
                self._changed.wait(0.05)
            found = self._found(source)
        if found is None or found.stamp != _stamp(source):
            return None
        self.shows(found)
        return found

    def shows(self, ready: Ready) -> None:
        """Keep what is shown now, and what was shown before: the user may come back to it."""
        with self._changed:
            others = (each for each in self._ready if each.image.source is not ready.image.source)
            self._ready = [each for each in others if each is self._shown or _is_in(each.image.source, self._wanted)]
            self._ready.append(ready)
            self._shown = ready

    def stop(self, seconds: float) -> bool:
        """End, and tell whether the thread ended in time."""
        with self._changed:
            self._round += 1
            self._has_ended = True
            self._ready, self._shown = [], None
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._has_work or self._has_ended)
                if self._has_ended:
                    return
                self._has_work = False
                number, wanted, setup = self._round, self._wanted, self._setup
            try:
                for place in range(len(wanted)):
                    self._prepare(number, wanted, place, setup)
            except CancelledError:
                continue

    def _prepare(self, number: int, wanted: tuple[Source, ...], place: int, setup: DetectionSetup) -> None:
        def cancelled() -> bool:
            return number != self._round

        if cancelled():
            raise CancelledError
        try:
            ready = self._opened(wanted, place, cancelled)
            is_answered = ready.image.source.kind == "bytes"  # a client's image came with its answer
            if not is_answered and self._engine.cache is not None and self._engine.loaded(setup.model) is not None:
                places = self._engine.scheduler.behind(Rank.AHEAD)
                detect_tiled(self._engine, ready.image, setup.model, setup.tiling, cancelled, places=places)
        except CancelledError:
            raise
        except EngineError:
            pass  # who asks for the image is told
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)

    def _opened(self, wanted: tuple[Source, ...], place: int, cancelled: Cancelled) -> Ready:
        source = wanted[place]
        stamp = _stamp(source)
        with self._changed:
            found = self._found(source)
            if found is not None and found.stamp == stamp:
                return found
            self._opening, self._asked = source, None
        opened = None
        try:
            opened = self._open(wanted, place, lambda: cancelled() and self._asked is not source)
        finally:
            with self._changed:
                self._opening = None
                if opened is not None and not self._has_ended:
                    self._ready = [each for each in self._ready if each.image.source is not source] + [opened]
                self._changed.notify_all()
        return opened

    def _open(self, wanted: tuple[Source, ...], place: int, cancelled: Cancelled) -> Ready:
        """The image; what is less likely makes room for it."""
        stamp = _stamp(wanted[place])
        file = self._engine.read(wanted[place], cancelled)
        while True:
            if cancelled():
                raise CancelledError
            with self._changed:
                room = max(self._room(), 0)
            try:
                image = self._engine.decode(file, min(LARGEST_IMAGE, room // _BYTES_A_PIXEL))
                return Ready(image, to_qimage(image.pixels), stamp)
            except EngineError as error:
                with self._changed:
                    if error.code != "too_many_pixels" or not self._let_go_of_one(wanted[place + 1 :]):
                        raise

    def _found(self, source: Source) -> Ready | None:
        return next((each for each in self._ready if each.image.source is source), None)

    def _is_kept(self, ready: Ready) -> bool:
        return ready.bytes <= LARGEST_IMAGE * _BYTES_A_PIXEL and _is_in(ready.image.source, self._wanted)

    def _room(self) -> int:
        """Bytes that may still be taken; what is shown does not count."""
        return MOST_BYTES - sum(each.bytes for each in self._ready if each is not self._shown)

    def _let_go_of_one(self, sources: Sequence[Source]) -> bool:
        """Whether there was one of these to let go of, the least likely first."""
        for source in reversed(sources):
            found = self._found(source)
            if found is not None and found is not self._shown:
                self._ready = [each for each in self._ready if each is not found]
                return True
        return False


def _is_in(source: Source, sources: Sequence[Source]) -> bool:
    return any(each is source for each in sources)


def _stamp(source: Source) -> Stamp | None:
    """What changes when the file of a source does; `None` where there is none."""
    if source.kind != "path":
        return None
    try:
        status = os.stat(source.location)  # noqa: PTH116 (locations may hold what pathlib raises on)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
