"""The work of a request in worker threads: decode, detect, draw."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.api.fetching import FetchedImage
from engine.api.metrics import Metrics
from engine.api.parsing import ParsedRequest
from engine.api.request_log import RequestRecord
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
"""Receives each image, all its detections and the requested filter, in a worker thread."""


@dataclass(frozen=True, eq=False)
class RequestTask:
    """A request with its images fetched and its reservation reserved.

    Attributes:
        parsed: The request.
        images: Its images, all fetched.
        model: Name of the model.
        reservation: Its reservation in the queue.
        cancelled: Returns whether the client has disconnected.
        record: Counts images and tokens.
    """

    parsed: ParsedRequest
    images: Sequence[FetchedImage]
    model: str
    reservation: Reservation
    cancelled: Cancelled
    record: RequestRecord


@dataclass(frozen=True, eq=False)
class ImageResult:
    """All detections in one image, the milliseconds of each stage, and warnings about its file."""

    found: Detections
    timing_ms: dict[str, float] = field(default_factory=dict)
    warnings: tuple[EngineError, ...] = ()


class Worker:
    """Runs request tasks; safe to call from several threads."""

    def __init__(self, engine: Engine, settings: Settings, metrics: Metrics, answered: Answered) -> None:
        self._engine = engine
        self._metrics = metrics
        self._answered = answered
        self._limits = Limits(settings.max_fetch_bytes, settings.max_pixels)

    def detect_all(self, task: RequestTask) -> list[ImageResult]:
        """Detect in each image, in order.

        Raises:
            EngineError: the first image that cannot be answered.
        """
        return [self._detect_in(task, image) for image in task.images]

    def draw_last(self, task: RequestTask, format: PictureFormat) -> bytes:
        """Draw the detections on the last image and encode it; the others are only decoded and counted.

        Args:
            task: The request.
            format: Of the file.

        Raises:
            EngineError: the first image that cannot be answered.
        """
        *others, last = task.images
        for fetched in others:
            with self._engine.scheduler.room(task.reservation, task.cancelled):
                self._decoded(fetched.data, task)
        with self._engine.scheduler.room(task.reservation, task.cancelled):
            image = self._decoded(last.data, task)
            result = self._detected(image, task)
            with self._timed("encode"):
                drawn = draw_detections(image.pixels, result.found.keep(task.parsed.filter))
                return encode_image(drawn, format)

    def _detect_in(self, task: RequestTask, fetched: FetchedImage) -> ImageResult:
        with self._engine.scheduler.room(task.reservation, task.cancelled):
            result = self._detected(self._decoded(fetched.data, task), task)
        return replace(result, timing_ms={"fetch": fetched.fetch_ms} | result.timing_ms)

    def _decoded(self, data: bytes, task: RequestTask) -> OpenedImage:
        started = time.perf_counter()
        decoded = decode_with_warnings(data, self._limits)
        pixels = decoded.pixels
        seconds = time.perf_counter() - started
        self._metrics.observe("decode", seconds)
        task.record.images += 1
        task.record.tokens += token_count(pixels.width, pixels.height)
        source = Source("bytes", "API image", "API image", data)
        return OpenedImage(source, pixels, seconds * 1e3, warnings=decoded.warnings)

    def _detected(self, image: OpenedImage, task: RequestTask) -> ImageResult:
        started = time.perf_counter()
        found = self._engine.detect_in(image, task.model, task.cancelled, task.reservation)
        timing = found.timing
        model_ms = timing.preprocess + timing.model + timing.postprocess
        queue_ms = max((time.perf_counter() - started) * 1e3 - model_ms, 0.0)
        self._metrics.observe("queue", queue_ms / 1e3)
        self._metrics.observe("model", model_ms / 1e3)
        self._answered(image, found, task.parsed.filter)
        stages = {"decode": timing.decode, "queue": queue_ms, "model": model_ms}
        return ImageResult(found, stages, image.warnings)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._metrics.observe(stage, time.perf_counter() - started)
