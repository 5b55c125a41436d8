"""Opening the images that are probably shown next, before they are asked for."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from PyQt5.QtGui import QImage

from desktop.images.pixels import to_qimage
from desktop.state.detection_setup import DetectionSetup
from desktop.work.task_runner import TaskRunner
from engine.batch.tiled import detect_tiled
from engine.detect.tiling import Tiling
from engine.engine import Engine
from engine.errors import CancelledError, EngineError
from engine.image.opened import OpenedImage
from engine.image.source import Source
from engine.inference.scheduler import Cancelled, Rank

MOST_BYTES = 400_000_000
LARGEST_IMAGE = 40_000_000
"""Pixels; larger images are not prefetched."""

_BYTES_A_PIXEL = 8
"""An open image is in memory twice: for the model and for the canvas, four bytes a pixel each."""

_MOST_URLS = 2

Stamp = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Ready:
    """An opened image.

    Attributes:
        image: For the model.
        canvas_image: For the canvas.
        stamp: Of its file when it was read; `None` where there is no file.
    """

    image: OpenedImage
    canvas_image: QImage
    stamp: Stamp | None

    @property
    def bytes(self) -> int:
        """Its size in memory."""
        return self.canvas_image.width() * self.canvas_image.height() * _BYTES_A_PIXEL


def open_ready(engine: Engine, source: Source, cancelled: Cancelled) -> Ready:
    """Open an image for model and canvas.

    Raises:
        EngineError: As `Engine.open`.
    """
    stamp = _stamp(source)
    image = engine.open(source, cancelled)
    return Ready(image, to_qimage(image.pixels), stamp)


class Prefetch:
    """Opens images in another thread and, where the model is in memory already, detects in them.

    `expect`, `hold` and `stop` are called in the GUI thread, the others in any. Nobody waits for a prefetched image,
    unless it is being opened when it is asked for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tasks = TaskRunner("prefetch")
        self._changed = threading.Condition()
        self._wanted: tuple[Source, ...] = ()
        self._has_ended = False
        self._opening: Source | None = None
        self._asked: Source | None = None
        self._shown: Ready | None = None
        self._ready: list[Ready] = []

    @property
    def ready(self) -> tuple[Ready, ...]:
        """The images that are open, the shown one among them."""
        return tuple(self._ready)

    def expect(self, sources: Sequence[Source], model: str, tiling: Tiling | None = None) -> None:
        """Open these images, the likeliest first, and keep the shown one; others are released."""
        self._tasks.cancel()
        urls = [source for source in sources if source.kind == "url"][:_MOST_URLS]
        wanted = tuple(source for source in sources if source.kind != "url" or _is_in(source, urls))
        with self._changed:
            self._wanted = wanted
            self._ready = [each for each in self._ready if each is self._shown or self._is_kept(each)]
            while self._room() < 0 and self._release_one(wanted):
                pass
        setup = DetectionSetup(model, tiling)
        self._tasks.run(lambda task: self._prepare_all(wanted, setup, task.cancelled))

    def hold(self, asked: Source | None) -> None:
        """Begin nothing new until the next `expect`, because the user asked for something, an image maybe."""
        with self._changed:
            self._asked = asked
        self._tasks.cancel()

    def take(self, source: Source, cancelled: Cancelled) -> Ready | None:
        """Return an image, if it was opened and its file is still the same; waits while it is being opened.

        Raises:
            CancelledError: `cancelled` returned true while waiting.
        """
        with self._changed:
            while self._opening is source:
                if cancelled():
                    raise CancelledError
                self._changed.wait(0.05)
            found = self._found(source)
        if found is None or found.stamp != _stamp(source):
            return None
        self.set_shown(found)
        return found

    def set_shown(self, ready: Ready) -> None:
        """Keep the shown image, and the one before: the user may come back to it."""
        with self._changed:
            others = (each for each in self._ready if each.image.source is not ready.image.source)
            self._ready = [each for each in others if each is self._shown or _is_in(each.image.source, self._wanted)]
            self._ready.append(ready)
            self._shown = ready

    def stop(self, seconds: float) -> bool:
        """Cancel everything, release all images, and return whether the thread ended in time."""
        with self._changed:
            self._has_ended = True
            self._ready, self._shown = [], None
        return self._tasks.stop(seconds)

    def _prepare_all(self, wanted: tuple[Source, ...], setup: DetectionSetup, cancelled: Cancelled) -> None:
        for place in range(len(wanted)):
            if cancelled():
                raise CancelledError
            with contextlib.suppress(EngineError):  # shown when the image is asked for
                self._prepare(wanted, place, setup, cancelled)

    def _prepare(self, wanted: tuple[Source, ...], place: int, setup: DetectionSetup, cancelled: Cancelled) -> None:
        ready = self._opened(wanted, place, cancelled)
        if ready.image.source.kind == "bytes":
            return  # a client's image came with its detections
        if self._engine.known.cache is not None and self._engine.loaded(setup.model) is not None:
            reservation = self._engine.scheduler.behind(Rank.AHEAD)
            detect_tiled(self._engine, ready.image, setup.model, setup.tiling, cancelled, reservation=reservation)

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
        """Open an image, releasing less likely ones where there is no room for it."""
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
                    if error.code != "too_many_pixels" or not self._release_one(wanted[place + 1 :]):
                        raise

    def _found(self, source: Source) -> Ready | None:
        return next((each for each in self._ready if each.image.source is source), None)

    def _is_kept(self, ready: Ready) -> bool:
        return ready.bytes <= LARGEST_IMAGE * _BYTES_A_PIXEL and _is_in(ready.image.source, self._wanted)

    def _room(self) -> int:
        """Return how many bytes may still be used; the shown image does not count."""
        return MOST_BYTES - sum(each.bytes for each in self._ready if each is not self._shown)

    def _release_one(self, sources: Sequence[Source]) -> bool:
        """Release the least likely of these that is open, but not the shown one; return whether there was any."""
        for source in reversed(sources):
            found = self._found(source)
            if found is not None and found is not self._shown:
                self._ready = [each for each in self._ready if each is not found]
                return True
        return False


def _is_in(source: Source, sources: Sequence[Source]) -> bool:
    return any(each is source for each in sources)


def _stamp(source: Source) -> Stamp | None:
    """Return a value that changes when the file of a source does; `None` where there is none."""
    if source.kind != "path":
        return None
    try:
        status = os.stat(source.location)  # noqa: PTH116 (locations may hold what pathlib raises on)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
