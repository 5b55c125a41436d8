"""What worker threads do for a request: decode, detect, draw."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.api.fetching import Given
from engine.api.metrics import Metrics
from engine.api.question import Question
from engine.api.request_log import Record
from engine.detect.detection import Detections, Filter, token_count
from engine.engine import Engine
from engine.errors import EngineError
from engine.image.decode import Limits, decode_with_warnings
from engine.image.opened import OpenedImage
from engine.image.source import Source
from engine.inference.scheduler import Cancelled, Reservation
from engine.render.render import draw_detections, encode_image
from engine.settings import Settings

PictureFormat = Literal["JPEG", "PNG"]
Answered = Callable[[OpenedImage, Detections, Filter], None]
"""Told of each image that was answered, from the worker's thread: the image, all detections, what was asked for."""


@dataclass(frozen=True, eq=False)
class Task:
    """One request's way through the engine.

    Attributes:
        question: What is asked.
        images: Its images, all fetched.
        model: Which model answers.
        reservation: Its reservation in the queue.
        cancelled: Whether nobody waits for the answer any more.
        record: Where images and tokens are noted.
    """

    question: Question
    images: Sequence[Given]
    model: str
    reservation: Reservation
    cancelled: Cancelled
    record: Record


@dataclass(frozen=True, eq=False)
class Seen:
    """One image that was looked at: every detection in it, the milliseconds of each stage, warnings of its file."""

    found: Detections
    timing_ms: dict[str, float] = field(default_factory=dict)
    warnings: tuple[EngineError, ...] = ()


class Worker:
    """Answers tasks; called in worker threads, several at a time."""

    def __init__(self, engine: Engine, settings: Settings, metrics: Metrics, answered: Answered) -> None:
        self._engine = engine
        self._metrics = metrics
        self._answered = answered
        self._limits = Limits(settings.max_fetch_bytes, settings.max_pixels)

    def detect_all(self, task: Task) -> list[Seen]:
        """What is in each image, in order.

        Raises:
            EngineError: the first image that cannot be answered.
        """
        return [self._detect_in(task, given) for given in task.images]

    def draw_last(self, task: Task, format: PictureFormat) -> bytes:
        """The last image with its detections drawn, as a file; the others are only counted.

        Args:
            task: The request.
            format: Of the file.

        Raises:
            EngineError: the first image that cannot be answered.
        """
        *others, last = task.images
        for given in others:
            with self._engine.scheduler.room(task.reservation, task.cancelled):
                self._decoded(given.data, task)
        with self._engine.scheduler.room(task.reservation, task.cancelled):
            image = self._decoded(last.data, task)
            seen = self._detected(image, task)
            with self._timed("encode"):
                drawn = draw_detections(image.pixels, seen.found.keep(task.question.chosen))
                return encode_image(drawn, format)

    def _detect_in(self, task: Task, given: Given) -> Seen:
        with self._engine.scheduler.room(task.reservation, task.cancelled):
            seen = self._detected(self._decoded(given.data, task), task)
        return replace(seen, timing_ms={"fetch": given.fetch_ms} | seen.timing_ms)

    def _decoded(self, data: bytes, task: Task) -> OpenedImage:
        started = time.perf_counter()
        decoded = decode_with_warnings(data, self._limits)
        pixels = decoded.pixels
        seconds = time.perf_counter() - started
        self._metrics.observe("decode", seconds)
        task.record.images += 1
        task.record.tokens += token_count(pixels.width, pixels.height)
        source = Source("bytes", "API image", "API image", data)
        return OpenedImage(source, pixels, seconds * 1e3, warnings=decoded.warnings)

    def _detected(self, image: OpenedImage, task: Task) -> Seen:
        started = time.perf_counter()
        found = self._engine.detect_in(image, task.model, task.cancelled, task.reservation)
        timing = found.timing
        model_ms = timing.preprocess + timing.model + timing.postprocess
        queue_ms = max((time.perf_counter() - started) * 1e3 - model_ms, 0.0)
        self._metrics.observe("queue", queue_ms / 1e3)
        self._metrics.observe("model", model_ms / 1e3)
        self._answered(image, found, task.question.chosen)
        stages = {"decode": timing.decode, "queue": queue_ms, "model": model_ms}
        return Seen(found, stages, image.warnings)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._metrics.observe(stage, time.perf_counter() - started)
