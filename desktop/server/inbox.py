"""The images that clients of the API sent, with their detections."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from PIL.Image import Image as PixelImage
from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.client_images import ClientImage, newest
from desktop.work.feed import Feed
from engine.detect.detection import Detections, Filter
from engine.errors import EngineError
from engine.image.opened import ImageFile, OpenedImage
from engine.image.source import Source


class Inbox(QObject):
    """Collects images from the server's threads; nothing is written to disk.

    Attributes:
        is_open: Whether images are collected.

    Signals:
        arrived(list[ClientImage]): New images, oldest first.
    """

    arrived = pyqtSignal(object)

    def __init__(self, read: Callable[[Source], ImageFile], parent: QObject | None = None) -> None:
        """Collect nothing yet; `read` returns an image's file, with its content hash."""
        super().__init__(parent)
        self._read = read
        self.is_open = False
        self._numbers = itertools.count(1)
        self._feed = Feed(_trim, self)
        self._feed.delivered.connect(self.arrived)

    def take(self, image: OpenedImage, found: Detections, chosen: Filter) -> None:
        """Add an image with its detections; called in the server's threads."""
        if not self.is_open:
            return
        number = next(self._numbers)
        name = f"API {time.strftime('%H:%M:%S')} #{number}"
        content = image.source.content or _file_of(image.pixels)
        source = Source("bytes", name, f"inbox {number}", content)
        self._feed.put(ClientImage(source, found, self._content_hash(source)))

    def _content_hash(self, source: Source) -> str:
        try:
            return self._read(source).content_hash
        except EngineError:
            return ""  # too large to be opened here, which the list shows; the client got its answer


def _file_of(pixels: PixelImage) -> bytes:
    """Return RGB pixels as an uncompressed PPM file, which is fast to write."""
    return b"".join((b"P6 %d %d 255\n" % pixels.size, pixels.tobytes()))


def _trim(waiting: list[ClientImage]) -> None:
    kept = set(map(id, newest([each.source for each in waiting])))
    waiting[:] = [each for each in waiting if id(each.source) in kept]
