"""The cache of detections, as the models of one engine use it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.detect.detection import Detections, Timing
from engine.detect.precision import F32, precision_of
from engine.detect.tiling import Tiling
from engine.errors import EngineError
from engine.image.opened import ImageFile, OpenedImage
from engine.inference.model_pool import ModelPool
from engine.models.catalog.catalog import Catalog
from engine.review.cache import DetectionCache


class KnownDetections:
    """Looks detections up by the content of the image and of the model, and keeps them.

    Attributes:
        cache: Where they are kept; `None` keeps none.
    """

    def __init__(self, cache: DetectionCache | None, catalog: Catalog, models: ModelPool) -> None:
        self.cache = cache
        self._catalog = catalog
        self._models = models

    def key(self, model: str | None = None, tiling: Tiling | None = None) -> str:
        """Return the cache key of a model's content, precision and tiling; loads nothing.

        Args:
            model: A name in the catalog or a checkpoint folder; `None` is the default model.
            tiling: How images are cut.

        Raises:
            ModelError: the model cannot be found or read.
        """
        name = self._catalog.name_of(model or self._models.settings.model)
        return _tiled(_key(self._models.fingerprint(name), self._models.variant(name)), tiling)

    def key_of(self, found: Detections) -> str:
        """Return the cache key of detections: that of f32 where it answered in place of a faster precision.

        Raises:
            ModelError: the model cannot be found or read.
        """
        content, now = self._models.fingerprint(found.model), self.key(found.model)
        precision = precision_of(found.runtime)
        if precision == F32:
            return _tiled(content, found.tiling)
        was = f"{content}-{precision}"
        # Detections of a calibration that is not in use any more are never looked up.
        return _tiled(now if now == was or now.startswith(f"{was}-") else was, found.tiling)

    def recall(
        self, image: ImageFile | OpenedImage, model: str | None = None, tiling: Tiling | None = None
    ) -> Detections | None:
        """Return the detections of an earlier time; loads no model, and leaves it to `Engine.load` to report a bad one.

        Of the timing, only decoding is that of this time.
        """
        if self.cache is None or not image.content_hash:
            return None
        try:
            name = self._catalog.name_of(model or self._models.settings.model)
            found = self.cache.get(image.content_hash, self.key(name, tiling))
        except EngineError:
            return None
        if found is None:
            return None
        return replace(found, model=name, tiling=tiling, timing=Timing(decode=getattr(image, "decode_ms", 0.0)))

    def keep(self, image: OpenedImage, found: Detections, path: Path | None = None) -> Detections:
        """Keep every detection of an image, unless the model was renamed or removed meanwhile; returns them.

        Those of an image with warnings are not kept: the warnings appear whenever it is opened.

        Args:
            image: The image.
            found: Every detection in it.
            path: Where the model was before it answered.
        """
        if self.cache is not None and image.content_hash and not image.warnings:
            try:
                if path in (None, self._catalog.path(found.model)):
                    self.cache.put(image.content_hash, self.key_of(found), found)
            except EngineError:
                return found
        return found


def _key(fingerprint: str, variant: str) -> str:
    return fingerprint if variant == F32 else f"{fingerprint}-{variant}"


def _tiled(key: str, tiling: Tiling | None) -> str:
    return key if tiling is None else f"{key}+{tiling.key}"
