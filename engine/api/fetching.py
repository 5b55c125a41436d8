"""Images behind URLs, fetched before their request takes its places in the queue: a slow host holds up nobody else."""

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
"""Fetched images of the largest size that may be in memory at once, those of all requests together."""


@dataclass(frozen=True, eq=False)
class Given:
    """The bytes of an image file, and the milliseconds that fetching took; 0 where it came with the request."""

    data: bytes
    fetch_ms: float = 0.0


class Fetcher:
    """Fetches for a limited number of requests at a time, into a limited memory."""

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
        """A request that is fetched for; at the end of the block its images are let go.

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
        """Room for so many bytes; negative ones give it back.

        Raises:
            EngineError: `queue_full`.
        """
        with self._lock:
            if size > self._room:
                raise _busy()
            self._room -= size


class FetchingRequest:
    """What is fetched for one request."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._held = 0
        self._is_over = False
        self._lock = threading.Lock()

    def fetch(self, images: Sequence[bytes | str], cancelled: Cancelled) -> list[Given]:
        """The images; those that are URLs are fetched, one after the other. Called in a worker thread.

        Raises:
            SourceError: what `fetch_url` raises.
            CancelledError: `cancelled` said so, or the request is over.
            EngineError: `queue_full`, too much is in memory already.
        """
        return [Given(image) if isinstance(image, bytes) else self._fetched(image, cancelled) for image in images]

    def close(self) -> None:
        """The request is over, its images are in memory no longer."""
        with self._lock:
            self._is_over = True
            self._fetcher.take_room(-self._held)

    def _fetched(self, url: str, cancelled: Cancelled) -> Given:
        started = time.perf_counter()
        data = fetch_url(url, self._fetcher.policy, cancelled=cancelled)
        seconds = time.perf_counter() - started
        self._fetcher.metrics.observe("fetch", seconds)
        with self._lock:
            if self._is_over:
                raise CancelledError
            self._fetcher.take_room(len(data))
            self._held += len(data)
        return Given(data, seconds * 1e3)


def _busy() -> EngineError:
    return EngineError("queue_full", "The server is busy fetching other images; ask again in a few seconds.")
