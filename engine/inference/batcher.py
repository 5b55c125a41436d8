"""Runs models on images: each in its caller's turn, together with others that wait for the same model."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain

from engine.detect.detection import Detections
from engine.detect.recipe import Prepared, prepare
from engine.errors import CancelledError, DetectionError
from engine.image.opened import OpenedImage
from engine.inference.model_pool import Failure, ModelPool
from engine.inference.scheduler import Cancelled, Rank, Reservation, Scheduler
from engine.runtimes.detector import Detector


@dataclass(eq=False)
class PendingImage:
    """An image that waits for its detections.

    Attributes:
        model: The model's name in the catalog.
        image: The image.
        prepared: The model's input.
        cancelled: Polled until the model runs; true gives up.
        found: Every detection in it, once the model has answered.
    """

    model: str
    image: OpenedImage
    prepared: Prepared
    cancelled: Cancelled = bool
    found: Detections | None = None


class Batcher:
    """Runs models in turns; thread-safe.

    Where a runtime answers several images faster in a batch, whoever has the turn includes those of the same rank that
    wait for the same model with an input of the same size.
    """

    def __init__(self, models: ModelPool, scheduler: Scheduler) -> None:
        self._models = models
        self._scheduler = scheduler
        self._lock = threading.Lock()
        self._pending: dict[PendingImage, Rank] = {}

    def prepare(self, image: OpenedImage, name: str, cancelled: Cancelled = bool) -> PendingImage:
        """Compute a model's input of an image, which needs no turn at the model.

        Raises:
            ModelError: the model cannot be found or read.
            CancelledError: it was given up.
        """
        self._models.await_conversion(name, cancelled)
        give_up_if(cancelled)
        detector, prepared = self._models.get(name), image.prepared
        recipe = detector.recipe if detector else self._models.recipe(name)
        if prepared is None or prepared.recipe != recipe:
            prepared = prepare(recipe, image.pixels, detector is not None and detector.runtime.takes_pixels)
        return PendingImage(name, image, prepared, cancelled)

    @contextmanager
    def turn(self, image: PendingImage, reservation: Reservation | None = None) -> Iterator[None]:
        """Wait for a turn at the model; meanwhile somebody else may detect in the image with their own.

        Raises:
            CancelledError: it was given up before.
        """
        with self._lock:
            self._pending[image] = Rank(reservation.order[0]) if reservation else Rank.WINDOW
        try:
            with self._scheduler.turn(image.cancelled, reservation):
                yield
        finally:
            with self._lock:
                del self._pending[image]

    def detect(self, image: PendingImage) -> Detections:
        """Return every detection in an image, best score first; called in its turn.

        Raises:
            ModelError: the model cannot be loaded.
            DetectionError: it could not answer; after running out of memory it is unloaded.
            CancelledError: it was given up before.
        """
        if image.found is None:
            detector = self._ready(image)
            others = self._others_like(image, detector)
            if others:
                try:
                    self._run_batch(detector, [image, *others])
                except DetectionError:  # another image may have been the reason
                    self._run(image)
            else:
                self._run(image)
        assert image.found is not None
        return image.found

    def detect_batch(self, images: Iterable[PendingImage]) -> list[PendingImage]:
        """Detect in several images with inputs of the same size, in a turn; returns them.

        Args:
            images: At least one, consumed as the runtime is ready for them.

        Raises:
            ModelError, CancelledError: as `detect`.
            DetectionError: the model could not answer for one of them; it may be able to for each alone.
        """
        rest = iter(images)
        first = next(rest)
        return self._run_batch(self._ready(first), chain([first], rest))

    def _ready(self, image: PendingImage, failures: list[Failure] | None = None) -> Detector:
        detector = self._models.ready(image.model, failures or ())
        give_up_if(image.cancelled)
        return detector

    def _run(self, image: PendingImage) -> None:
        """Detect in one image; a runtime that fails at it is tried no more if its alternative answers."""
        failures: list[Failure] = []
        while image.found is None:
            detector = self._ready(image, failures)
            try:
                found = detector.detect(_fitting(image, detector))
            except DetectionError as error:
                choice = self._models.choice(image.model)
                if error.code == "out_of_memory":
                    self._models.unload(image.model)
                    raise
                if choice is None or not choice.has_alternative:
                    raise
                failures.append((choice, error))
            else:
                _answer(image, found)
                self._models.used(image.model, found, failures)

    def _run_batch(self, detector: Detector, images: Iterable[PendingImage]) -> list[PendingImage]:
        taken: list[PendingImage] = []

        def prepared() -> Iterator[Prepared]:
            for each in images:
                taken.append(each)
                yield _fitting(each, detector)

        detections = detector.detect_batch(prepared())
        for each, found in zip(taken, detections, strict=True):
            _answer(each, found)
        self._models.used(taken[0].model, detections[0])
        return taken

    def _others_like(self, image: PendingImage, detector: Detector) -> list[PendingImage]:
        """Return the images to detect in together with this one."""
        most = detector.runtime.batch_size - 1
        if most < 1:
            return []
        with self._lock:
            rank = self._pending.get(image)
            others = [each for each, its_rank in self._pending.items() if its_rank == rank and each is not image]
        size = image.prepared.input_size
        return [
            each
            for each in others
            if each.found is None
            and each.model == image.model
            and each.prepared.recipe == image.prepared.recipe
            and each.prepared.input_size == size
            and not each.cancelled()
        ][:most]


def give_up_if(cancelled: Cancelled) -> None:
    """Raise CancelledError if the caller gave up."""
    if cancelled():
        raise CancelledError


def _answer(image: PendingImage, found: Detections) -> None:
    """Set the detections of an image: under the name that was asked for, with the time of its decoding."""
    image.found = replace(found, model=image.model, timing=replace(found.timing, decode=image.image.decode_ms))


def _fitting(image: PendingImage, detector: Detector) -> Prepared:
    """Return the model's input, prepared again where the model's files or its runtime changed meanwhile."""
    prepared, by_runtime = image.prepared, detector.runtime.takes_pixels
    if prepared.recipe == detector.recipe and (by_runtime or not prepared.is_pixels):
        return prepared
    return prepare(detector.recipe, image.image.pixels, by_runtime)
