"""Puts what the API was sent and answered into the window, when the user wants to see it."""

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
    """Takes images from the server's threads; nothing is written to disk.

    Attributes:
        is_open: Whether images are taken.

    Signals:
        arrived(list[ClientImage]): More images, oldest first.
    """

    arrived = pyqtSignal(object)

    def __init__(self, read: Callable[[Source], ImageFile], parent: QObject | None = None) -> None:
        """Take nothing yet; `read` tells how an image's content is named."""
        super().__init__(parent)
        self._read = read
        self.is_open = False
        self._numbers = itertools.count(1)
        self._feed = Feed(_trim, self)
        self._feed.delivered.connect(self.arrived)

    def take(self, image: OpenedImage, found: Detections, chosen: Filter) -> None:
        """Keep an image that was answered; called in the server's threads."""
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
            return ""  # too large to be opened here, which the list tells; the client has its answer all the same


def _file_of(pixels: PixelImage) -> bytes:
    """RGB pixels as a file without compression, for speed."""
    return b"".join((b"P6 %d %d 255\n" % pixels.size, pixels.tobytes()))


def _trim(waiting: list[ClientImage]) -> None:
    kept = set(map(id, newest([each.source for each in waiting])))
    waiting[:] = [each for each in waiting if id(each.source) in kept]
