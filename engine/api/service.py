"""One server's parts, put together, and how its event loop hands work to threads."""

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
from engine.api.fetching import Fetcher, Given
from engine.api.metrics import Metrics
from engine.api.question import Question
from engine.api.request_log import Record
from engine.api.served import ServedModels
from engine.api.tidying import Tidying
from engine.api.work import Answered, Task, Worker
from engine.engine import Engine
from engine.image.inline import PIECE
from engine.settings import Settings

ResultT = TypeVar("ResultT")
_SPARE_THREADS = 8
"""Threads beside those that wait in the queue: they read bodies and draw."""

_FETCHES = 2
"""Requests that may fetch images at once, for each place in the queue."""

_CLOSE_SECONDS = 1.0


class Service:
    """What the routes work with.

    Attributes:
        engine: What answers.
        access: Who may ask.
        metrics: What is counted.
        models: What is served.
        fetcher: Fetches images, in threads of their own.
        worker: Does the work, in threads.
        tidying: Gives memory back.
    """

    def __init__(
        self, engine: Engine, settings: Settings, default_model: Callable[[], str], answered: Answered
    ) -> None:
        self.engine = engine
        self.access = Access.of(settings)
        self.metrics = Metrics(lambda: engine.scheduler.waiting)
        self.models = ServedModels(engine, settings.models, default_model)
        self.tidying = Tidying()
        self.worker = Worker(engine, settings, self.metrics, answered)
        self.fetcher = Fetcher(settings, self.metrics, _FETCHES * engine.scheduler.limit)
        self._max_images = settings.max_images
        self._unpacking = asyncio.Lock()
        self._pool = ThreadPoolExecutor(engine.scheduler.limit + _SPARE_THREADS, "api")
        self._fetches = ThreadPoolExecutor(self.fetcher.limit, "api-fetch")

    async def in_thread(self, work: Callable[[], ResultT]) -> ResultT:
        """Do `work` away from the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def unpacked(self, body: bytes | bytearray, work: Callable[[], ResultT]) -> ResultT:
        """Do `work`, which reads a question out of `body`, away from the event loop; large bodies one after the other.

        Python runs one thread at a time: several would not be done sooner, but the event loop would wait for each.
        """
        if len(body) <= PIECE:
            return await self.in_thread(work)
        async with self._unpacking:
            return await self.in_thread(work)

    async def answer(self, request: Request, question: Question, work: Callable[[Task], ResultT]) -> ResultT:
        """Do `work` for a question when its turn comes; dropped when the client goes away.

        Raises:
            EngineError: the question cannot be answered, or the queue is full.
        """
        model = self.models.chosen(question.model)
        await self.in_thread(lambda: self._check(question, model))
        gone = threading.Event()
        try:
            return await _unless_gone(request.receive, gone, self._answer(request, question, model, gone, work))
        finally:
            self.tidying.after(record_of(request))

    async def _answer(
        self,
        request: Request,
        question: Question,
        model: str,
        gone: threading.Event,
        work: Callable[[Task], ResultT],
    ) -> ResultT:
        scheduler = self.engine.scheduler
        async with self._images(question, gone) as images:
            with scheduler.reserve(len(images)) as reservation:
                task = Task(question, images, model, reservation, gone.is_set, record_of(request))
                return await self.in_thread(lambda: work(task))

    @asynccontextmanager
    async def _images(self, question: Question, gone: threading.Event) -> AsyncIterator[Sequence[Given]]:
        """The question's images; what is to be fetched takes no place in the queue meanwhile."""
        if all(isinstance(image, bytes) for image in question.images):
            yield [Given(image) for image in question.images if isinstance(image, bytes)]
            return
        with self.engine.scheduler.reserve(len(question.images)):
            pass  # where the queue is full already, nothing is fetched in vain
        with self.fetcher.request() as fetching:
            yield await asyncio.wrap_future(self._fetches.submit(fetching.fetch, question.images, gone.is_set))

    async def close(self) -> None:
        """Drop what waits and let the threads end, as far as they do so soon."""
        closing = threading.Thread(target=self._end_threads, daemon=True)
        closing.start()
        until = time.monotonic() + _CLOSE_SECONDS
        while closing.is_alive() and time.monotonic() < until:
            await asyncio.sleep(0.02)

    def _end_threads(self) -> None:
        self._fetches.shutdown(cancel_futures=True)
        self._pool.shutdown(cancel_futures=True)

    def _check(self, question: Question, model: str) -> None:
        if len(question.images) > self._max_images:
            message = "A request may have {limit} images; send fewer."
            raise RequestError("too_many_images", message, limit=self._max_images)
        labels = question.chosen.labels
        if labels is not None and not labels <= set(self.models.recipe(model).names.values()):
            message = "labels has a class that the model does not know; use those of its answers."
            raise RequestError("label_unknown", message, "labels")


def record_of(request: Request) -> Record:
    """The log's record of a request."""
    record = request.scope["state"]["record"]
    assert isinstance(record, Record)
    return record


async def _unless_gone(receive: Receive, gone: threading.Event, work: Awaitable[ResultT]) -> ResultT:
    """The result of `work`; `gone` is set when the client disconnects, and when nobody waits here any more."""
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
