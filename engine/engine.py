"""The engine: sources in, detections out; window, command line and notebooks share it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from engine.detect.detection import Detections, Timing
from engine.detect.detector import Detector
from engine.detect.precision import F32, precision_of
from engine.detect.recipe import Prepared, Recipe, prepare
from engine.detect.tiling import Tiling
from engine.errors import EngineError, ImageError, ModelError
from engine.image.decode import Limits, decode_with_warnings
from engine.image.fetch_policy import FetchPolicy
from engine.image.source import Source, parse_source, read_source
from engine.inference.answering import Answering, Asked, give_up_if
from engine.inference.conversions import Conversion, Conversions
from engine.inference.fast_runtimes import FastRuntimes
from engine.inference.loaded_models import LoadedModels
from engine.inference.model_runtimes import ModelRuntimes, RuntimeState
from engine.inference.scheduler import Cancelled, Places, Scheduler
from engine.models.catalog.catalog import Catalog
from engine.models.converted import ConvertedModels
from engine.models.fast import FastModels
from engine.models.last_times import keep_times
from engine.models.onnx.beside import keep_names
from engine.paths import cache_dir
from engine.review.cache import DetectionCache
from engine.settings import Settings, load_settings

Given = str | os.PathLike[str] | bytes | Source
_HASH_BYTES = 16


@dataclass(frozen=True, eq=False)
class ImageFile:
    """The bytes of an image, read but not decoded.

    Attributes:
        source: Where they came from.
        content: The file.
        content_hash: Names the content, wherever it lies: BLAKE2b of 16 bytes, hexadecimal.
    """

    source: Source
    content: bytes
    content_hash: str


@dataclass(frozen=True, eq=False)
class OpenedImage:
    """An image that was read.

    Attributes:
        source: Where it came from.
        pixels: RGB, as shown (EXIF rotation applied).
        decode_ms: Milliseconds from bytes to pixels.
        content_hash: That of its file; empty where nobody asked for it.
        prepared: What `Engine.prepare` made of it for a model.
        warnings: What is wrong with its file though it could be opened; never raised.
    """

    source: Source
    pixels: Image.Image
    decode_ms: float
    content_hash: str = ""
    prepared: Prepared | None = None
    warnings: tuple[ImageError, ...] = ()


def shared_cache() -> DetectionCache:
    """What window and command line know of images from earlier; the API never asks it."""
    return DetectionCache(cache_dir() / "detections.sqlite")


class Engine:
    """Models and images of one program; safe to use from several threads, one of which runs a model at a time.

    Attributes:
        settings: What was set.
        catalog: The names of the models.
        scheduler: Grants the turns at the model.
        cache: What is known of images from earlier, if that is kept.
        fast: The faster, slightly different forms of models; see `engine.batch.precisions`.
    """

    def __init__(self, settings: Settings | None = None, cache: DetectionCache | None = None) -> None:
        self.settings = settings or load_settings()
        self.cache = cache
        self.catalog = Catalog()
        store = ConvertedModels(cache_dir() / "converted")
        self.fast = FastModels(store)
        self._conversions = Conversions(store)
        runtimes = ModelRuntimes(self._conversions, FastRuntimes(self.fast, self._conversions))
        self._models = LoadedModels(self.catalog, runtimes)
        self.scheduler = Scheduler(self.settings.queue)
        self._answering = Answering(self._models, self.scheduler)

    @property
    def default_model(self) -> str:
        """The name of the model that is used where none is named."""
        try:
            return self.catalog.name_of(self.settings.model)
        except EngineError:
            return self.settings.model

    def detect(self, given: Given, model: str | None = None, cancelled: Cancelled = bool) -> Detections:
        """Open an image and detect in it; every detection is kept, choose with `above()` or `keep()`.

        Args:
            given: A path, http(s) URL, `data:` URI, base64 text, the bytes of a file, or a `Source`.
            model: A name in the catalog or a checkpoint folder; `None` is the default model.
            cancelled: Asked between the stages; true gives up.

        Raises:
            EngineError: one sentence that says what is wrong.
        """
        return self.detect_in(self.open(given, cancelled), model, cancelled)

    def open(self, given: Given, cancelled: Cancelled = bool) -> OpenedImage:
        """Read and decode an image.

        Raises:
            SourceError: its bytes cannot be had.
            ImageError: the bytes are no whole image within the limits.
            CancelledError: `cancelled` said so.
        """
        file = self.read(given, cancelled)
        give_up_if(cancelled)
        return self.decode(file)

    def read(self, given: Given, cancelled: Cancelled = bool) -> ImageFile:
        """Read an image, as far as its bytes.

        Raises:
            SourceError: its bytes cannot be had.
            CancelledError: `cancelled` said so.
        """
        source = given if isinstance(given, Source) else parse_source(given)
        limits = Limits(max_bytes=self.settings.max_file_bytes, max_pixels=self.settings.max_pixels)
        policy = FetchPolicy(
            allow_private=True,
            use_proxy=True,
            max_bytes=self.settings.max_fetch_bytes,
            seconds=self.settings.fetch_seconds,
        )
        content = read_source(source, limits, policy, cancelled)
        return ImageFile(source, content, hashlib.blake2b(content, digest_size=_HASH_BYTES).hexdigest())

    def decode(self, file: ImageFile, max_pixels: int | None = None) -> OpenedImage:
        """Decode what was read.

        Args:
            file: What was read.
            max_pixels: Refuse an image with more, before it takes memory, even where the settings allow it.

        Raises:
            ImageError: the bytes are no whole image within the limits.
        """
        most = self.settings.max_pixels if max_pixels is None else min(max_pixels, self.settings.max_pixels)
        started = time.perf_counter()
        decoded = decode_with_warnings(file.content, Limits(max_bytes=self.settings.max_file_bytes, max_pixels=most))
        took_ms = (time.perf_counter() - started) * 1e3
        return OpenedImage(file.source, decoded.pixels, took_ms, file.content_hash, warnings=decoded.warnings)

    def fingerprint(self, model: str | None = None, tiling: Tiling | None = None) -> str:
        """What names a model's content, wherever it lies: of the model in memory, else of its files; loads nothing.

        Its answers about images that are cut into tiles are others, and so is what names those; so it is where it
        computes in another precision than f32.

        Raises:
            ModelError: the model cannot be found or read.
        """
        name = self.catalog.name_of(model or self.settings.model)
        return _tiled_name(self._models.answers_name(name, self.settings), tiling)

    def fingerprint_of(self, found: Detections) -> str:
        """The same of the model as it was when it answered, which may have been f32 in place of a faster precision.

        Raises:
            ModelError: the model cannot be found or read.
        """
        content, now = self._models.fingerprint(found.model), self._models.answers_name(found.model, self.settings)
        precision = precision_of(found.runtime)
        if precision == F32:
            return _tiled_name(content, found.tiling)
        was = f"{content}-{precision}"
        # of a calibration that is not in use any more nobody asks for the answers
        return _tiled_name(now if now == was or now.startswith(f"{was}-") else was, found.tiling)

    def recall(
        self, image: ImageFile | OpenedImage, model: str | None = None, tiling: Tiling | None = None
    ) -> Detections | None:
        """What the cache knows of an image; loads no model, and leaves it to `load` to tell what is wrong with one.

        Of the times, only that of decoding is told: the model's is that of another day.
        """
        if self.cache is None or not image.content_hash:
            return None
        try:
            name = self.catalog.name_of(model or self.settings.model)
            found = self.cache.get(image.content_hash, self.fingerprint(name, tiling))
        except EngineError:
            return None
        if found is None:
            return None
        return replace(found, model=name, tiling=tiling, timing=Timing(decode=getattr(image, "decode_ms", 0.0)))

    def keep(self, image: OpenedImage, found: Detections) -> Detections:
        """Let the cache know every detection of an image; returns them.

        What a model found that was renamed or removed while it answered is not kept, nor what it found in an image with
        warnings, which are told whenever it is opened.
        """
        if self.cache is not None and image.content_hash and not image.warnings:
            try:
                fingerprint = self.fingerprint_of(found)
            except EngineError:
                return found
            self.cache.put(image.content_hash, fingerprint, found)
        return found

    def detect_known(
        self,
        image: OpenedImage,
        model: str | None = None,
        cancelled: Cancelled = bool,
        fresh: bool = False,
        places: Places | None = None,
    ) -> Detections:
        """Every detection in an opened image, from the cache where it has them, else by the model and kept there.

        Args:
            image: What to look at.
            model: A name in the catalog or a checkpoint folder; `None` is the default model.
            cancelled: Asked until the model runs; true gives up.
            fresh: Ask the model in any case.
            places: The caller's places in the queue; `None` goes ahead of all who have some.

        Raises:
            ModelError, DetectionError, CancelledError: as `detect_in`.
        """
        name = self.catalog.name_of(model or self.settings.model)
        known = None if fresh else self.recall(image, name)
        if known is not None:
            return known
        asked = self._asked(image, name, cancelled)
        with self._answering.turn(asked, places):
            known = None if fresh else self.recall(image, name)  # another thread may have asked meanwhile
            if known is not None:
                return known
            place = self.catalog.path(name)
            return self._kept(image, self._answered(image, asked), place)

    def detect_in(
        self,
        image: OpenedImage,
        model: str | None = None,
        cancelled: Cancelled = bool,
        places: Places | None = None,
    ) -> Detections:
        """Every detection in an opened image, best score first.

        Args:
            image: What to look at.
            model: A name in the catalog or a checkpoint folder; `None` is the default model.
            cancelled: Asked until the model runs; true gives up.
            places: The caller's places in the queue; `None` goes ahead of all who have some.

        Raises:
            ModelError: the model cannot be found or loaded.
            DetectionError: it could not answer; after running out of memory it is unloaded.
            CancelledError: `cancelled` said so before the model ran.
        """
        name = self.catalog.name_of(model or self.settings.model)
        asked = self._asked(image, name, cancelled)
        with self._answering.turn(asked, places):
            return self._answered(image, asked)

    def detect_together(
        self,
        images: Iterable[OpenedImage],
        model: str | None = None,
        cancelled: Cancelled = bool,
        places: Places | None = None,
    ) -> list[Detections]:
        """Every detection in several opened images, in one turn at the model; the cache is told, but not asked.

        Args:
            images: What to look at, one at least, all prepared for the model and with the same `Prepared.input_size`;
                taken in that turn, as the model can work on them.
            model: A name in the catalog or a checkpoint folder; `None` is the default model.
            cancelled: Asked until the model runs; true gives up.
            places: The caller's places in the queue; `None` goes ahead of all who have some.

        Raises:
            ModelError, CancelledError: as `detect_in`.
            DetectionError: the model could not answer for one of them; it may be able to for each alone.
        """
        name = self.catalog.name_of(model or self.settings.model)
        taken: list[tuple[OpenedImage, Asked]] = []

        def asked() -> Iterator[Asked]:
            for image in images:
                taken.append((image, Asked(name, image.pixels, self._prepared(image, name))))
                yield taken[-1][1]

        self._settle(name, cancelled)
        with self.scheduler.turn(cancelled, places):
            place, rest = self.catalog.path(name), asked()
            self._answering.answer_together(next(rest), rest, self.settings)
            founds = [(image, _decoded(each.found, image)) for image, each in taken if each.found is not None]
            return [self._kept(image, found, place) for image, found in founds]

    def prepare(self, image: OpenedImage, model: str | None = None, cancelled: Cancelled = bool) -> OpenedImage:
        """The image with all done that needs no turn at the model, for a thread that has time for it.

        Raises:
            ModelError: the model cannot be found or read.
            CancelledError: `cancelled` said so.
        """
        name = self.catalog.name_of(model or self.settings.model)
        return replace(image, prepared=self._prepare(image, name, cancelled))

    def load(self, model: str | None = None, cancelled: Cancelled = bool) -> Detector:
        """The model in memory, loaded if it is not; the least recently used one makes room.

        Args:
            model: A name in the catalog or a checkpoint folder; `None` is the default model.
            cancelled: Asked until the model loads; true gives up.

        Raises:
            ModelError: it cannot be found or loaded; the models in memory stay as they are.
            CancelledError: `cancelled` said so before it was loaded.
        """
        name = self.catalog.name_of(model or self.settings.model)
        self._settle(name, cancelled)
        with self.scheduler.turn(cancelled):
            return self._models.ready(name, self.settings)

    def loaded(self, name: str) -> Detector | None:
        """The model of this name if it is in memory; waits for nothing."""
        return self._models.get(name)

    def recipe(self, model: str | None = None) -> Recipe:
        """What is known of a model without loading it.

        Raises:
            ModelError: it cannot be found or read.
        """
        return self._models.recipe(self.catalog.name_of(model or self.settings.model))

    def name_classes(self, names: Sequence[str], model: str | None = None) -> None:
        """Keep class names, in the order of the label ids, for an ONNX file; they are used from now on.

        Raises:
            ModelError: the model cannot be found or is no ONNX file, or there are no names.
            WriteError: they can be written neither beside it nor in the data folder.
        """
        name = self.catalog.name_of(model or self.settings.model)
        keep_names(self.catalog.path(name), names)
        with self.scheduler.turn():
            self._models.unload(name)

    def runtime_state(self, model: str | None = None) -> RuntimeState:
        """What executes a model and how far its conversion is; loads nothing, but reads its files the first time.

        Raises:
            ModelError: it cannot be found or read.
        """
        return self._models.runtime_state(self.catalog.name_of(model or self.settings.model), self.settings)

    def conversion(self, model: str | None = None) -> Conversion:
        """Return how far a model's conversion for OpenVINO is; loads nothing, but reads its files the first time.

        Raises:
            ModelError: the model cannot be found or read.
        """
        return self._models.conversion(self.catalog.name_of(model or self.settings.model), self.settings)

    def convert(
        self,
        model: str | None = None,
        progress: Callable[[Conversion], None] = lambda state: None,
        cancelled: Cancelled = bool,
    ) -> RuntimeState:
        """Convert a model for OpenVINO, unless that was done, and wait for it.

        Args:
            model: A name in the catalog or a checkpoint folder; `None` is the default model.
            progress: Receives each change, in this thread.
            cancelled: Polled; true ends the conversion, or the wait for a process that is at it.

        Returns:
            Its state then; `conversion` is `none` where the settings or the kind of model leave nothing to convert.

        Raises:
            ModelError: the model cannot be found or read.
        """
        name = self.catalog.name_of(model or self.settings.model)
        self._models.convert(name, self.settings, progress, cancelled)
        return self._models.runtime_state(name, self.settings)

    def cancel_conversion(self, model: str | None = None) -> None:
        """End the conversion of a model that waits or runs in the background.

        Raises:
            ModelError: the model cannot be found or read.
        """
        self._models.cancel_conversion(self.catalog.name_of(model or self.settings.model))

    def apply(self, settings: Settings) -> None:
        """Use other settings from now on; other devices or runtimes load models again when they are next asked for."""
        with self.scheduler.turn():
            if (settings.device, settings.runtime) != (self.settings.device, self.settings.runtime):
                self._models.unload_all()
            self.settings = settings

    def close(self) -> None:
        """Unload every model, close the cache, end conversions in the foreground; those in the background go on."""
        self._conversions.close()
        with self.scheduler.turn():
            self._models.unload_all()
            if self.cache is not None:
                self.cache.close()
        keep_times()

    def _prepare(self, image: OpenedImage, name: str, cancelled: Cancelled) -> Prepared:
        """What needs no turn at the model."""
        self._settle(name, cancelled)
        give_up_if(cancelled)
        return self._prepared(image, name)

    def _prepared(self, image: OpenedImage, name: str) -> Prepared:
        recipe = self._models.recipe(name)
        if image.prepared is not None and image.prepared.recipe == recipe:
            return image.prepared
        detector = self._models.get(name)
        return prepare(recipe, image.pixels, detector is not None and detector.runtime.takes_pixels)

    def _kept(self, image: OpenedImage, found: Detections, place: Path) -> Detections:
        """What a model found, kept in the same turn, unless its name leads to another place since."""
        try:
            is_its_own = self.catalog.path(found.model) == place
        except ModelError:
            return found
        return self.keep(image, found) if is_its_own else found

    def _asked(self, image: OpenedImage, name: str, cancelled: Cancelled) -> Asked:
        return Asked(name, image.pixels, self._prepare(image, name, cancelled), cancelled)

    def _answered(self, image: OpenedImage, asked: Asked) -> Detections:
        """In a turn."""
        return _decoded(self._answering.answer(asked, self.settings), image)

    def _settle(self, name: str, cancelled: Cancelled = bool) -> None:
        self._models.await_conversion(name, self.settings, cancelled)


def _decoded(found: Detections, image: OpenedImage) -> Detections:
    return replace(found, timing=replace(found.timing, decode=image.decode_ms))


def _tiled_name(name: str, tiling: Tiling | None) -> str:
    return name if tiling is None else f"{name}+{tiling.key}"
