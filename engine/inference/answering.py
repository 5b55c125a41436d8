"""Models answer: an image in its caller's turn, and along with it others that wait for the same model."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain

from PIL import Image

from engine.detect.detection import Detections
from engine.detect.detector import Detector
from engine.detect.recipe import Prepared, prepare
from engine.errors import CancelledError, DetectionError, ModelError
from engine.inference.loaded_models import LoadedModels
from engine.inference.scheduler import Cancelled, Order, Places, Rank, Scheduler
from engine.settings import Settings


@dataclass(eq=False)
class Asked:
    """An image that waits for a model's answer.

    Attributes:
        model: The model's name in the catalog.
        pixels: RGB, as shown.
        prepared: What the model takes.
        cancelled: Asked until the model runs; true gives up.
        found: Every detection in it, as soon as the model has answered.
    """

    model: str
    pixels: Image.Image
    prepared: Prepared
    cancelled: Cancelled = bool
    found: Detections | None = None


class Answering:
    """Runs models in turns; safe to use from any thread.

    Where a runtime answers several images quicker together, whoever has the turn takes along those of the same rank
    that wait for the same model with an input of the same size.
    """

    def __init__(self, models: LoadedModels, scheduler: Scheduler) -> None:
        self._models = models
        self._scheduler = scheduler
        self._lock = threading.Lock()
        self._waiting: dict[Asked, Rank] = {}

    @contextmanager
    def turn(self, asked: Asked, places: Places | None = None) -> Iterator[None]:
        """A turn at the model for an image; when it comes somebody may have had it answered along with theirs.

        Raises:
            CancelledError: it was given up before.
        """
        order: Order = places.order if places else (Rank.WINDOW, 0)
        with self._lock:
            self._waiting[asked] = Rank(order[0])
        try:
            with self._scheduler.turn(asked.cancelled, places):
                yield
        finally:
            with self._lock:
                del self._waiting[asked]

    def answer(self, asked: Asked, settings: Settings) -> Detections:
        """Every detection in an image, best score first; called in its turn.

        Raises:
            ModelError: the model cannot be loaded.
            DetectionError: it could not answer; after running out of memory it is unloaded.
            CancelledError: it was given up before.
        """
        takes_others = True
        while asked.found is None:
            detector = self._ready(asked, settings)
            others = self._along(asked, detector) if takes_others else []
            try:
                if others:
                    self._run(detector, [asked, *others], settings)
                else:
                    self._run_alone(detector, asked, settings)
            except DetectionError as error:
                if not others:
                    self._recover(asked, error)
                takes_others = False  # another image may have been the reason
        return asked.found

    def answer_together(self, first: Asked, rest: Iterable[Asked], settings: Settings) -> None:
        """The same for several images with inputs of the same size, in one turn, taken as they can be worked on.

        Raises:
            ModelError, CancelledError: as `answer`.
            DetectionError: the model could not answer for one of them; it may be able to for each alone.
        """
        self._run(self._ready(first, settings), chain([first], rest), settings)

    def _recover(self, asked: Asked, failure: DetectionError) -> None:
        """Raise it unless there is another runtime to be tried."""
        if failure.code == "out_of_memory":
            self._models.unload(asked.model)
        elif self._models.falls_back(asked.model, failure):
            return
        raise failure

    def _ready(self, asked: Asked, settings: Settings) -> Detector:
        try:
            detector = self._models.ready(asked.model, settings)
        except ModelError:
            self._models.found_none()
            raise
        give_up_if(asked.cancelled)
        return detector

    def _along(self, asked: Asked, detector: Detector) -> list[Asked]:
        """Who else is answered now."""
        most = detector.runtime.at_once - 1
        if most < 1:
            return []
        with self._lock:
            rank = self._waiting.get(asked)
            others = [each for each, of in self._waiting.items() if of == rank and each is not asked]
        size = asked.prepared.input_size
        return [
            each
            for each in others
            if each.found is None
            and each.model == asked.model
            and each.prepared.recipe == asked.prepared.recipe
            and each.prepared.input_size == size
            and not each.cancelled()
        ][:most]

    def _run_alone(self, detector: Detector, asked: Asked, settings: Settings) -> None:
        found = detector.detect(_fitting(asked, detector))
        asked.found = replace(found, model=asked.model)
        self._models.used(asked.model, settings, found)

    def _run(self, detector: Detector, images: Iterable[Asked], settings: Settings) -> None:
        taken: list[Asked] = []

        def prepared() -> Iterator[Prepared]:
            for each in images:
                taken.append(each)
                yield _fitting(each, detector)

        founds = detector.detect_together(prepared())
        for each, found in zip(taken, founds, strict=True):
            each.found = replace(found, model=each.model)
        self._models.used(taken[0].model, settings, founds[0])


def give_up_if(cancelled: Cancelled) -> None:
    """Raise CancelledError if the caller gave up."""
    if cancelled():
        raise CancelledError


def _fitting(asked: Asked, detector: Detector) -> Prepared:
    """What the detector takes, made anew where its files or its runtime changed meanwhile."""
    prepared, by_runtime = asked.prepared, detector.runtime.takes_pixels
    if prepared.recipe == detector.recipe and (by_runtime or not prepared.is_pixels):
        return prepared
    return prepare(detector.recipe, asked.pixels, by_runtime)
