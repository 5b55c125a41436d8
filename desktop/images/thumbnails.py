"""Thumbnails for the list of images, made in the background; the visible rows come first."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Sequence

from PIL.Image import Image as PixelImage
from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from desktop.images.pixels import to_qimage
from desktop.style.i18n import error_text
from desktop.work.task_runner import Task, TaskRunner
from engine.errors import CancelledError, EngineError
from engine.image.source import Source, read_source
from engine.image.thumbnails import ThumbnailCache, address_key, file_key, make_thumbnail, scale_down
from engine.paths import cache_dir

SIDE = 128
"""Pixels of the square that a thumbnail fits: sharp on a screen of 200 % too."""

_CORES_FOR_TWO = 4
_MOST_OFFERED = 4
"""Each offered image is held in memory until its thumbnail is made: of more than these, the oldest are dropped."""

Result = tuple[Source, QImage | EngineError]


class Thumbnails(QObject):
    """Makes thumbnails of sources, or reads them from the cache on disk.

    URLs are never fetched for a thumbnail: theirs come from `offer`, when the image is opened. Thumbnails of pasted
    images, and of images that clients of the API sent, are not written to disk.

    Signals:
        made(Source, QImage): A thumbnail, RGB32, at most SIDE x SIDE pixels.
        failed(Source, str): Why there is none, in the window's language.
    """

    made = pyqtSignal(object, QImage)
    failed = pyqtSignal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cache = ThumbnailCache(cache_dir() / "thumbnails", SIDE)
        self._lock = threading.Lock()
        self._wanted: deque[Source] = deque()
        self._offered: deque[tuple[Source, PixelImage]] = deque(maxlen=_MOST_OFFERED)
        self._begun: set[int] = set()
        self._waiting_tasks = 0
        threads = 2 if (os.cpu_count() or 1) >= _CORES_FOR_TWO else 1
        self._tasks = TaskRunner("thumbnails", self, threads=threads, is_lowest_priority=True)

    def want(self, sources: Sequence[Source]) -> None:
        """Make thumbnails of these, in this order; those wanted before that are not begun are dropped."""
        with self._lock:
            self._wanted = deque(source for source in sources if id(source) not in self._begun)
        self._start_tasks()

    def offer(self, source: Source, image: PixelImage) -> None:
        """Make the thumbnail of an image that was just opened, from its RGB pixels."""
        with self._lock:
            self._offered.append((source, image))
        self._start_tasks()

    def stop(self, seconds: float) -> bool:
        """Make no more, and return whether the threads ended in time."""
        with self._lock:
            self._wanted.clear()
            self._offered.clear()
        return self._tasks.stop(seconds)

    def _start_tasks(self) -> None:
        """Have a waiting task for each source; which source a task takes is decided when it begins."""
        with self._lock:
            missing = len(self._wanted) + len(self._offered) - self._waiting_tasks
            self._waiting_tasks += max(missing, 0)
        for _ in range(missing):
            self._tasks.run(self._make_next, self._on_made)

    def _make_next(self, task: Task) -> Result | None:
        """Make the most urgent thumbnail; `None` where none is wanted, or this one cannot be had without a fetch."""
        with self._lock:
            self._waiting_tasks -= 1
            image: PixelImage | None = None
            if self._offered:
                source, image = self._offered.popleft()
            elif self._wanted:
                source = self._wanted.popleft()
            else:
                return None
            self._begun.add(id(source))
        try:
            made = self._make(source, image, task)
        except CancelledError:
            raise
        except EngineError as error:
            return source, error
        finally:
            with self._lock:
                self._begun.discard(id(source))
        return None if made is None else (source, made)

    def _make(self, source: Source, image: PixelImage | None, task: Task) -> QImage | None:
        key = _key(source)
        is_new = image is not None and source.kind == "url"
        kept = self._cache.get(key) if key and not is_new else None
        if kept is not None:
            return to_qimage(kept)
        if image is None and source.kind == "url":
            return None
        if image is None:
            made = make_thumbnail(read_source(source, cancelled=task.cancelled), SIDE)
        else:
            made = scale_down(image, SIDE)
        if key:
            self._cache.put(key, made)
        return to_qimage(made)

    def _on_made(self, result: Result | None) -> None:
        if result is None:
            return
        source, made = result
        if isinstance(made, QImage):
            self.made.emit(source, made)
        else:
            self.failed.emit(source, error_text(made))


def _key(source: Source) -> str:
    """Return the thumbnail's cache key; empty where it must not be written to disk, or the file is gone."""
    if source.kind == "url":
        return address_key(source.location)
    if source.kind == "path":
        with contextlib.suppress(OSError, ValueError):
            return file_key(source.location)
    return ""
