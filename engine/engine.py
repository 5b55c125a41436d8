"""The engine: sources in, detections out; window, command line and notebooks share it."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass, replace

from PIL import Image

from engine.detect.detection import Detections
from engine.detect.detector import Detector
from engine.detect.scheduler import Cancelled, Places, Scheduler
from engine.errors import CancelledError, DetectionError, ModelError
from engine.image.decode import Limits, decode_image
from engine.image.fetch import FetchPolicy
from engine.image.source import Source, parse_source, read_source
from engine.models.catalog import Catalog
from engine.models.checkpoint import read_checkpoint
from engine.settings import Settings, load_settings


@dataclass(frozen=True, eq=False)
class OpenedImage:
    """An image that was read.

    Attributes:
        source: Where it came from.
        pixels: RGB, as shown (EXIF rotation applied).
        decode_ms: Milliseconds from bytes to pixels.
    """

    source: Source
    pixels: Image.Image
    decode_ms: float


class Engine:
    """Models and images of one program; safe to use from several threads, one of which runs a model at a time.

    Attributes:
        settings: What was set.
        catalog: The names of the models.
        scheduler: Grants the turns at the model.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or load_settings()
        self.catalog = Catalog()
        self._loaded: OrderedDict[str, Detector] = OrderedDict()
        self.scheduler = Scheduler(self.settings.queue)

    @property
    def default_model(self) -> str:
        """The name of the model that is used where none is named."""
        try:
            return self.catalog.name_of(self.settings.model)
        except ModelError:
            return self.settings.model

    def detect(
        self, given: str | os.PathLike[str] | bytes | Source, model: str | None = None, cancelled: Cancelled = bool
    ) -> Detections:
        """Open an image and detect in it; every detection is kept, choose with `above()` or `keep()`.

        Args:
            given: A path, http(s) URL, `data:` URI, base64 text, the bytes of a file, or a `Source`.
            model: A name in the catalog or a checkpoint folder; `None` is the default model.
            cancelled: Asked between the stages; true gives up.

        Raises:
            EngineError: one sentence that says what is wrong.
        """
        return self.detect_in(self.open(given, cancelled), model, cancelled)

    def open(self, given: str | os.PathLike[str] | bytes | Source, cancelled: Cancelled = bool) -> OpenedImage:
        """Read and decode an image.

        Raises:
            SourceError: its bytes cannot be had.
            ImageError: the bytes are no whole image within the limits.
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
        data = read_source(source, limits, policy, cancelled)
        _give_up_if(cancelled)
        started = time.perf_counter()
        pixels = decode_image(data, limits)
        return OpenedImage(source, pixels, (time.perf_counter() - started) * 1e3)

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
        with self.scheduler.turn(cancelled, places):
            detector = self._ready(name)
            _give_up_if(cancelled)
            try:
                found = detector.detect(image.pixels)
            except DetectionError as error:
                if error.code == "out_of_memory":
                    self._unload(name)
                raise
        return replace(found, timing=replace(found.timing, decode=image.decode_ms))

    def load(self, model: str | None = None) -> Detector:
        """The model in memory, loaded if it is not; the least recently used one makes room.

        Raises:
            ModelError: it cannot be found or loaded; the models in memory stay as they are.
        """
        name = self.catalog.name_of(model or self.settings.model)
        with self.scheduler.turn():
            return self._ready(name)

    def loaded(self, name: str) -> Detector | None:
        """The model of this name if it is in memory; waits for nothing."""
        return self._loaded.get(name)

    def close(self) -> None:
        """Unload every model."""
        with self.scheduler.turn():
            for name in tuple(self._loaded):
                self._unload(name)

    def _ready(self, name: str) -> Detector:
        if name not in self._loaded:
            self._loaded[name] = self._read(name)
        self._loaded.move_to_end(name)
        while len(self._loaded) > self.settings.loaded_models:
            self._unload(next(iter(self._loaded)))
        return self._loaded[name]

    def _read(self, name: str) -> Detector:
        from engine.detect.runtimes.torch_runtime import TorchRuntime

        checkpoint = read_checkpoint(self.catalog.folder(name))
        return Detector(name, checkpoint, TorchRuntime(checkpoint, self.settings.device))

    def _unload(self, name: str) -> None:
        self._loaded.pop(name).runtime.close()
        _return_memory()


def _give_up_if(cancelled: Cancelled) -> None:
    if cancelled():
        raise CancelledError


def _return_memory() -> None:
    """Give freed memory back to the system at once; glibc would keep it."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
