"""The engine: images in, detections out. The window, the command line, the server and notebooks use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from engine.detect.detection import Detections
from engine.detect.recipe import Recipe
from engine.errors import EngineError
from engine.image.decode import Limits
from engine.image.opened import ImageFile, OpenedImage, decode_file, read_image
from engine.image.source import SourceLike
from engine.inference.batcher import Batcher, give_up_if
from engine.inference.conversions import Conversion, Conversions
from engine.inference.known import KnownDetections
from engine.inference.model_pool import ModelPool
from engine.inference.runtime_selector import RuntimeSelector, RuntimeState
from engine.inference.scheduler import Cancelled, Reservation, Scheduler
from engine.models.catalog.catalog import Catalog
from engine.models.converted import SHIPPED, ConvertedModels
from engine.models.fast import FastModels
from engine.models.last_times import keep_times
from engine.models.onnx.beside import keep_names
from engine.paths import cache_dir, resource
from engine.review.cache import DetectionCache
from engine.runtimes.detector import Detector
from engine.settings import Settings, load_settings


def shared_cache() -> DetectionCache:
    """Return the cache that window and command line share; the server uses none."""
    return DetectionCache(cache_dir() / "detections.sqlite")


class Engine:
    """The models and images of one program; thread-safe, one thread runs a model at a time.

    `model` is a name in the catalog or a checkpoint folder, `None` the default model; ModelError is raised where it
    cannot be found or read. `cancelled` is polled until the model runs; CancelledError is raised once it returns true.
    `reservation` is the caller's place in the queue; `None` goes before all who have one.

    Attributes:
        catalog: The names of the models.
        scheduler: The queue for the model.
        known: The cache of detections.
        fast: The reduced-precision forms of models; see `engine.batch.precisions`.
    """

    def __init__(self, settings: Settings | None = None, cache: DetectionCache | None = None) -> None:
        self.catalog = Catalog()
        store = ConvertedModels(cache_dir() / "converted", shipped=resource("starter", SHIPPED))
        self.fast = FastModels(store)
        self._conversions = Conversions(store)
        selector = RuntimeSelector(self._conversions, self.fast)
        self._models = ModelPool(self.catalog, selector, settings or load_settings())
        self.known = KnownDetections(cache, self.catalog, self._models)
        self.scheduler = Scheduler(self.settings.queue)
        self._batcher = Batcher(self._models, self.scheduler)

    @property
    def settings(self) -> Settings:
        """The settings; changed by `apply`."""
        return self._models.settings

    @property
    def default_model(self) -> str:
        """The name of the default model."""
        try:
            return self._name(None)
        except EngineError:
            return self.settings.model

    def detect(self, source: SourceLike, model: str | None = None, cancelled: Cancelled = bool) -> Detections:
        """Open an image and return every detection in it; choose with `above()` or `keep()`.

        Args:
            source: A path, http(s) URL, `data:` URI, base64 text, the bytes of a file, or a `Source`.

        Raises:
            EngineError: one sentence that says what is wrong.
        """
        return self.detect_in(self.open(source, cancelled), model, cancelled)

    def open(self, source: SourceLike, cancelled: Cancelled = bool) -> OpenedImage:
        """Read and decode an image.

        Raises:
            SourceError: its bytes are not to be had.
            ImageError: the bytes are no whole image within the limits.
        """
        file = self.read(source, cancelled)
        give_up_if(cancelled)
        return self.decode(file)

    def read(self, source: SourceLike, cancelled: Cancelled = bool) -> ImageFile:
        """Read the bytes of an image.

        Raises:
            SourceError: they are not to be had.
        """
        return read_image(source, self.settings, cancelled)

    def decode(self, file: ImageFile, max_pixels: int | None = None) -> OpenedImage:
        """Decode an image; one with more than `max_pixels` raises ImageError before it takes memory."""
        most = self.settings.max_pixels if max_pixels is None else min(max_pixels, self.settings.max_pixels)
        return decode_file(file, Limits(self.settings.max_file_bytes, most))

    def prepare(self, image: OpenedImage, model: str | None = None, cancelled: Cancelled = bool) -> OpenedImage:
        """Return the image with its tensors for a model, which need no turn at the model."""
        return replace(image, prepared=self._batcher.prepare(image, self._name(model), cancelled).prepared)

    def detect_in(
        self,
        image: OpenedImage,
        model: str | None = None,
        cancelled: Cancelled = bool,
        reservation: Reservation | None = None,
    ) -> Detections:
        """Return every detection in an opened image, best score first; the cache is not used.

        Raises:
            DetectionError: the model could not answer; after running out of memory it is unloaded.
        """
        pending = self._batcher.prepare(image, self._name(model), cancelled)
        with self._batcher.turn(pending, reservation):
            return self._batcher.detect(pending)

    def detect_known(
        self,
        image: OpenedImage,
        model: str | None = None,
        cancelled: Cancelled = bool,
        fresh: bool = False,
        reservation: Reservation | None = None,
    ) -> Detections:
        """Detect as `detect_in`, but take detections from the cache unless `fresh`, and keep new ones there."""
        name = self._name(model)
        known = None if fresh else self.known.recall(image, name)
        if known is not None:
            return known
        pending = self._batcher.prepare(image, name, cancelled)
        with self._batcher.turn(pending, reservation):
            known = None if fresh else self.known.recall(image, name)  # another thread may have detected meanwhile
            if known is not None:
                return known
            path = self.catalog.path(name)
            return self.known.keep(image, self._batcher.detect(pending), path)

    def detect_batch(
        self,
        images: Iterable[OpenedImage],
        model: str | None = None,
        cancelled: Cancelled = bool,
        reservation: Reservation | None = None,
    ) -> list[Detections]:
        """Return every detection in several opened images, in one turn at the model, and keep them in the cache.

        Args:
            images: At least one, all prepared for the model and with the same `Prepared.input_size`; consumed in the
                turn, as the model is ready for them.

        Raises:
            DetectionError: the model could not answer for one of them; it may be able to for each alone.
        """
        name = self._name(model)
        self._models.await_conversion(name, cancelled)
        with self.scheduler.turn(cancelled, reservation):
            path = self.catalog.path(name)
            detected = self._batcher.detect_batch(self._batcher.prepare(image, name) for image in images)
            return [self.known.keep(each.image, each.found, path) for each in detected if each.found is not None]

    def load(self, model: str | None = None, cancelled: Cancelled = bool) -> Detector:
        """Return the model in memory, loaded if it is not; the least recently used one makes room."""
        name = self._name(model)
        self._models.await_conversion(name, cancelled)
        with self.scheduler.turn(cancelled):
            return self._models.ready(name)

    def loaded(self, name: str) -> Detector | None:
        """Return the model of this name if it is in memory; waits for nothing."""
        return self._models.get(name)

    def recipe(self, model: str | None = None) -> Recipe:
        """Return how a model is fed and read, without loading it."""
        return self._models.recipe(self._name(model))

    def name_classes(self, names: Sequence[str], model: str | None = None) -> None:
        """Keep the class names of an ONNX file, in the order of the label ids; they are used from now on.

        Raises:
            ModelError: the model is no ONNX file, or there are no names.
            WriteError: they can be written neither beside it nor in the data folder.
        """
        name = self._name(model)
        keep_names(self.catalog.path(name), names)
        with self.scheduler.turn():
            self._models.unload(name)

    def runtime_state(self, model: str | None = None) -> RuntimeState:
        """Return what executes a model and why; loads nothing, but reads its files the first time."""
        return self._models.runtime_state(self._name(model))

    def conversion(self, model: str | None = None) -> Conversion:
        """Return how far a model's conversion for OpenVINO is, by whichever process; reads its files the first time."""
        return self._models.conversion(self._name(model))

    def convert(
        self,
        model: str | None = None,
        progress: Callable[[Conversion], None] = lambda state: None,
        cancelled: Callable[[], bool] = bool,
        again: bool = False,
    ) -> RuntimeState:
        """Convert a model for OpenVINO, unless that was done, and wait for it.

        Args:
            model: See `Engine`.
            progress: Receives each change, in this thread.
            cancelled: Polled; true ends the conversion.
            again: Try also where it was refused before.

        Returns:
            Its state then; `conversion` is `none` where the settings or the kind of model leave nothing to convert."""
        name = self._name(model)
        self._models.convert(name, progress, cancelled, again)
        return self._models.runtime_state(name)

    def cancel_conversion(self, model: str | None = None) -> None:
        """End the conversion of a model that waits or runs in the background."""
        self._models.cancel_conversion(self._name(model))

    def apply(self, settings: Settings) -> None:
        """Use other settings from now on; another device or runtime loads models again when they are next needed."""
        with self.scheduler.turn():
            if (settings.device, settings.runtime) != (self.settings.device, self.settings.runtime):
                self._models.unload_all()
            self._models.settings = settings

    def close(self) -> None:
        """Unload every model and close the cache; a conversion in the background goes on."""
        self._conversions.close()
        with self.scheduler.turn():
            self._models.unload_all()
            if self.known.cache is not None:
                self.known.cache.close()
        keep_times()

    def _name(self, model: str | None) -> str:
        return self.catalog.name_of(model or self.settings.model)
