"""Thumbnails for the list of images, made in the background: those that are looked at now come first."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Sequence

from PIL.Image import Image as PixelImage
from PyQt5.QtCore import QObject, QRunnable, QThread, QThreadPool, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QImage

from desktop.images.pixels import to_qimage
from desktop.style.i18n import error_text
from engine.errors import CancelledError, EngineError
from engine.image.source import Source, read_source
from engine.image.thumbnail import make_thumbnail, scale_down
from engine.image.thumbnail_cache import ThumbnailCache, address_key, file_key
from engine.paths import cache_dir

SIDE = 128
"""Pixels of the square that a thumbnail fits: sharp on a screen of 200 % too."""

_CORES_FOR_TWO = 4
_MOST_OFFERED = 4
"""Whole images are held until their thumbnail is made: of many that are opened in haste, the last count."""


class Thumbnails(QObject):
    """Makes thumbnails of sources, or finds them in the cache on disk.

    URLs are never fetched for a thumbnail: theirs come from `offer`, when the image is opened. What was pasted, or
    sent by a client of the API, is not written to disk.

    Signals:
        made(Source, QImage): A thumbnail, RGB32, at most SIDE x SIDE pixels.
        failed(Source, str): Why there is none, in the window's language.
    """

    made = pyqtSignal(object, QImage)
    failed = pyqtSignal(object, str)
    _finished = pyqtSignal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cache = ThumbnailCache(cache_dir() / "thumbnails", SIDE)
        self._lock = threading.Lock()
        self._wanted: deque[Source] = deque()
        self._offered: deque[tuple[Source, PixelImage]] = deque(maxlen=_MOST_OFFERED)
        self._begun: set[int] = set()
        self._stopped = False
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(2 if (os.cpu_count() or 1) >= _CORES_FOR_TWO else 1)
        self._running = 0
        self._finished.connect(self._pass_on)

    def want(self, sources: Sequence[Source]) -> None:
        """Make thumbnails of these, in this order; what was wanted before and is not begun is dropped."""
        with self._lock:
            self._wanted = deque(source for source in sources if id(source) not in self._begun)
            self._start_threads()

    def offer(self, source: Source, image: PixelImage) -> None:
        """Make the thumbnail of an image that was just opened, from its RGB pixels."""
        with self._lock:
            self._offered.append((source, image))
            self._start_threads()

    def stop(self, seconds: float) -> bool:
        """Give up all of it, and tell whether the threads ended in time."""
        with self._lock:
            self._stopped = True
            self._wanted.clear()
            self._offered.clear()
        return self._pool.waitForDone(int(seconds * 1000))

    def _start_threads(self) -> None:
        if self._stopped:
            return
        while self._running < min(self._pool.maxThreadCount(), len(self._wanted) + len(self._offered)):
            self._running += 1
            self._pool.start(_Shift(self))

    def _work(self) -> None:
        """Runs in a thread of the pool until nothing is wanted."""
        while (work := self._next()) is not None:
            source, image = work
            try:
                result: QImage | EngineError | None = self._make(source, image)
            except CancelledError:
                result = None
            except EngineError as error:
                result = error
            except Exception as error:
                sys.excepthook(type(error), error, error.__traceback__)
                result = None
            with self._lock:
                self._begun.discard(id(source))
            if result is not None:
                self._finished.emit(source, result)

    def _next(self) -> tuple[Source, PixelImage | None] | None:
        with self._lock:
            work: tuple[Source, PixelImage | None]
            if self._offered:
                work = self._offered.popleft()
            elif self._wanted:
                work = self._wanted.popleft(), None
            else:
                self._running -= 1
                return None
            self._begun.add(id(work[0]))
            return work

    def _make(self, source: Source, image: PixelImage | None) -> QImage | None:
        key = _key(source)
        is_new = image is not None and source.kind == "url"
        kept = self._cache.get(key) if key and not is_new else None
        if kept is not None:
            return to_qimage(kept)
        if image is None and source.kind == "url":
            return None
        if image is None:
            made = make_thumbnail(read_source(source, cancelled=lambda: self._stopped), SIDE)
        else:
            made = scale_down(image, SIDE)
        if key:
            self._cache.put(key, made)
        return to_qimage(made)

    @pyqtSlot(object, object)
    def _pass_on(self, source: Source, result: QImage | EngineError) -> None:
        if self._stopped:
            return
        if isinstance(result, QImage):
            self.made.emit(source, result)
        else:
            self.failed.emit(source, error_text(result))


class _Shift(QRunnable):
    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails

    def run(self) -> None:
        thread = QThread.currentThread()
        if thread is not None:
            thread.setPriority(QThread.Priority.LowestPriority)
        self._thumbnails._work()


def _key(source: Source) -> str:
    """What the thumbnail is called on disk; empty where it must not go there, or the file is gone."""
    if source.kind == "url":
        return address_key(source.location)
    if source.kind == "path":
        with contextlib.suppress(OSError, ValueError):
            return file_key(source.location)
    return ""
