"""Fetching of images behind URLs, before their request takes its places in the queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from engine.api.metrics import Metrics
from engine.errors import CancelledError, EngineError
from engine.image.fetch import fetch_url
from engine.image.fetch_policy import FetchPolicy
from engine.inference.scheduler import Cancelled
from engine.settings import Settings

_HELD_IMAGES = 16
"""Most fetched images of the largest size in memory at once, over all requests."""


@dataclass(frozen=True, eq=False)
class FetchedImage:
    """An image file and the milliseconds that fetching took; 0 where the bytes came with the request."""

    data: bytes
    fetch_ms: float = 0.0


class Fetcher:
    """Fetches images; limits concurrent requests and the memory that they hold."""

    def __init__(self, settings: Settings, metrics: Metrics, limit: int) -> None:
        """Fetch for `limit` requests at most."""
        self.limit = limit
        self.metrics = metrics
        self.policy = FetchPolicy(
            allow_private=settings.allow_private_image_hosts,
            allowed_hosts=frozenset(host.lower() for host in settings.allow_image_hosts),
            max_bytes=settings.max_fetch_bytes,
            seconds=settings.fetch_seconds,
        )
        self._room = settings.max_fetch_bytes * _HELD_IMAGES
        self._requests = 0
        self._lock = threading.Lock()

    @contextmanager
    def request(self) -> Iterator[FetchingRequest]:
        """Admit a request; its images are released at the end of the block.

        Raises:
            EngineError: `queue_full`.
        """
        with self._lock:
            if self._requests >= self.limit:
                raise _busy()
            self._requests += 1
        fetching = FetchingRequest(self)
        try:
            yield fetching
        finally:
            fetching.close()
            with self._lock:
                self._requests -= 1

    def take_room(self, size: int) -> None:
        """Reserve memory, bytes; a negative number releases it.

        Raises:
            EngineError: `queue_full`.
        """
        with self._lock:
            if size > self._room:
                raise _busy()
            self._room -= size


class FetchingRequest:
    """The fetched images of one request."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._held = 0
        self._is_over = False
        self._lock = threading.Lock()

    def fetch(self, images: Sequence[bytes | str], cancelled: Cancelled) -> list[FetchedImage]:
        """Return the images, fetching URLs one after another; runs in a worker thread.

        Raises:
            SourceError: what `fetch_url` raises.
            CancelledError: `cancelled` returned true, or the request is over.
            EngineError: `queue_full`, the memory is used up.
        """
        return [
            FetchedImage(image) if isinstance(image, bytes) else self._fetched(image, cancelled) for image in images
        ]

    def close(self) -> None:
        """Release the memory of the images."""
        with self._lock:
            self._is_over = True
            self._fetcher.take_room(-self._held)

    def _fetched(self, url: str, cancelled: Cancelled) -> FetchedImage:
        started = time.perf_counter()
        data = fetch_url(url, self._fetcher.policy, cancelled=cancelled)
        seconds = time.perf_counter() - started
        self._fetcher.metrics.observe("fetch", seconds)
        with self._lock:
            if self._is_over:
                raise CancelledError
            self._fetcher.take_room(len(data))
            self._held += len(data)
        return FetchedImage(data, seconds * 1e3)


def _busy() -> EngineError:
    return EngineError("queue_full", "The server is busy fetching other images; ask again in a few seconds.")
