"""The parts of one server, and how its event loop hands work to threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.requests import Request
from starlette.types import Receive

from engine.api.access import Access
from engine.api.errors import RequestError
from engine.api.fetching import FetchedImage, Fetcher
from engine.api.metrics import Metrics
from engine.api.parsing import ParsedRequest
from engine.api.request_log import RequestRecord
from engine.api.served import ServedModels
from engine.api.work import Answered, RequestTask, Worker
from engine.engine import Engine
from engine.image.inline import PIECE
from engine.inference.model_pool import free_memory
from engine.settings import Settings

ResultT = TypeVar("ResultT")
_SPARE_THREADS = 8
"""Threads beside those that wait in the queue: they read bodies and draw."""

_FETCHES = 2
"""Requests that may fetch images at once, for each place in the queue."""

_CLOSE_SECONDS = 1.0
_LARGE_REQUEST = 16 * 1024 * 1024
"""Bytes of bodies and decoded images, from which on memory is returned to the system."""
_TOKEN_BYTES = 784 * 4
"""Of a decoded image: Pillow takes 4 bytes a pixel."""
_TRIM_DELAY = 0.5


class MemoryTrimmer:
    """Returns freed memory to the system after large requests, at most once in 0.5 s."""

    def __init__(self) -> None:
        self._is_planned = False

    def after(self, record: RequestRecord, body: int = 0) -> None:
        """Plan a trim after a request that was large; called on the event loop.

        Args:
            record: Of the request.
            body: Size of its body, bytes.
        """
        if not self._is_planned and body + record.tokens * _TOKEN_BYTES > _LARGE_REQUEST:
            self._is_planned = True
            asyncio.get_running_loop().call_later(_TRIM_DELAY, self._trim)

    def _trim(self) -> None:
        self._is_planned = False
        threading.Thread(target=free_memory, name="api-trim", daemon=True).start()


class Service:
    """The state that the routes share.

    Attributes:
        engine: What answers.
        access: Who may ask.
        metrics: What is counted.
        models: What is served.
        fetcher: Fetches images, in threads of their own.
        worker: Does the work, in threads.
        trimmer: Returns memory to the system.
    """

    def __init__(
        self, engine: Engine, settings: Settings, default_model: Callable[[], str], answered: Answered
    ) -> None:
        self.engine = engine
        self.access = Access.of(settings)
        self.metrics = Metrics(lambda: engine.scheduler.waiting)
        self.models = ServedModels(engine, settings.models, default_model)
        self.trimmer = MemoryTrimmer()
        self.worker = Worker(engine, settings, self.metrics, answered)
        self.fetcher = Fetcher(settings, self.metrics, _FETCHES * engine.scheduler.limit)
        self._max_images = settings.max_images
        self._unpacking = asyncio.Lock()
        self._pool = ThreadPoolExecutor(engine.scheduler.limit + _SPARE_THREADS, "api")
        self._fetches = ThreadPoolExecutor(self.fetcher.limit, "api-fetch")

    async def in_thread(self, work: Callable[[], ResultT]) -> ResultT:
        """Run `work` in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def unpacked(self, body: bytes | bytearray, work: Callable[[], ResultT]) -> ResultT:
        """Run `work`, which parses `body`, in a worker thread; large bodies one after another.

        Python runs one thread at a time: parsing several at once is no faster, and the event loop would wait for each.
        """
        if len(body) <= PIECE:
            return await self.in_thread(work)
        async with self._unpacking:
            return await self.in_thread(work)

    async def answer(self, request: Request, parsed: ParsedRequest, work: Callable[[RequestTask], ResultT]) -> ResultT:
        """Run `work` for a request when its turn comes; cancelled when the client disconnects.

        Raises:
            EngineError: the request cannot be answered, or the queue is full.
        """
        model = self.models.resolve(parsed.model)
        await self.in_thread(lambda: self._check(parsed, model))
        gone = threading.Event()
        try:
            return await _unless_gone(request.receive, gone, self._answer(request, parsed, model, gone, work))
        finally:
            self.trimmer.after(record_of(request))

    async def _answer(
        self,
        request: Request,
        parsed: ParsedRequest,
        model: str,
        gone: threading.Event,
        work: Callable[[RequestTask], ResultT],
    ) -> ResultT:
        scheduler = self.engine.scheduler
        async with self._images(parsed, gone) as images:
            with scheduler.reserve(len(images)) as reservation:
                task = RequestTask(parsed, images, model, reservation, gone.is_set, record_of(request))
                return await self.in_thread(lambda: work(task))

    @asynccontextmanager
    async def _images(self, parsed: ParsedRequest, gone: threading.Event) -> AsyncIterator[Sequence[FetchedImage]]:
        """Yield the images of a request; while they are fetched, it holds no place in the queue."""
        if all(isinstance(image, bytes) for image in parsed.images):
            yield [FetchedImage(image) for image in parsed.images if isinstance(image, bytes)]
            return
        with self.engine.scheduler.reserve(len(parsed.images)):
            pass  # where the queue is full already, nothing is fetched in vain
        with self.fetcher.request() as fetching:
            yield await asyncio.wrap_future(self._fetches.submit(fetching.fetch, parsed.images, gone.is_set))

    async def close(self) -> None:
        """Cancel queued work and wait up to 1 s for the threads."""
        closing = threading.Thread(target=self._end_threads, daemon=True)
        closing.start()
        until = time.monotonic() + _CLOSE_SECONDS
        while closing.is_alive() and time.monotonic() < until:
            await asyncio.sleep(0.02)

    def _end_threads(self) -> None:
        self._fetches.shutdown(cancel_futures=True)
        self._pool.shutdown(cancel_futures=True)

    def _check(self, parsed: ParsedRequest, model: str) -> None:
        if len(parsed.images) > self._max_images:
            message = "A request may have {limit} images; send fewer."
            raise RequestError("too_many_images", message, limit=self._max_images)
        labels = parsed.filter.labels
        if labels is not None and not labels <= set(self.models.recipe(model).names.values()):
            message = "labels has a class that the model does not know; use those of its answers."
            raise RequestError("label_unknown", message, "labels")


def record_of(request: Request) -> RequestRecord:
    """Return the log record of a request."""
    record = request.scope["state"]["record"]
    assert isinstance(record, RequestRecord)
    return record


async def _unless_gone(receive: Receive, gone: threading.Event, work: Awaitable[ResultT]) -> ResultT:
    """Await `work`; set `gone` when the client disconnects, and at the end."""
    watcher = asyncio.ensure_future(_watch(receive, gone))
    try:
        return await work
    finally:
        gone.set()
        watcher.cancel()


async def _watch(receive: Receive, gone: threading.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
