"""A model in memory: a recipe and the runtime that executes it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from engine.detect.detection import Detections, Timing
from engine.detect.recipe import Prepared, Recipe, Tensors
from engine.detect.runtime import Runtime


@dataclass(frozen=True)
class Detector:
    """A model in memory.

    Attributes:
        name: Its name in the catalog.
        recipe: How it is fed and read.
        runtime: What executes it.
    """

    name: str
    recipe: Recipe
    runtime: Runtime

    def detect(self, prepared: Prepared) -> Detections:
        """Return every detection in an image that this model's recipe prepared, best score first.

        Raises:
            DetectionError: out of memory, or the device failed.
        """
        started = time.perf_counter()
        output = self.runtime.run(prepared.tensors)
        return self._detections(prepared, output, (time.perf_counter() - started) * 1e3)

    def detect_batch(self, images: Iterable[Prepared]) -> list[Detections]:
        """Detect in several images with inputs of the same size, which are consumed as the runtime is ready for them.

        Each image's `Timing.model` is its share of the time of all.

        Raises:
            DetectionError: out of memory, or the device failed, for any of them.
        """
        taken: list[Prepared] = []

        def tensors() -> Iterator[Tensors]:
            for each in images:
                taken.append(each)
                yield each.tensors

        started = time.perf_counter()
        outputs = self.runtime.run_batch(tensors())
        share = (time.perf_counter() - started) * 1e3 / max(len(taken), 1)
        return [self._detections(each, output, share) for each, output in zip(taken, outputs, strict=True)]

    def _detections(self, prepared: Prepared, output: Tensors, model_ms: float) -> Detections:
        started = time.perf_counter()
        found = self.recipe.detections(output, prepared.width, prepared.height)
        postprocess_ms = (time.perf_counter() - started) * 1e3
        timing = Timing(preprocess=prepared.milliseconds, model=model_ms, postprocess=postprocess_ms)
        return replace(found, model=self.name, device=self.runtime.device, runtime=self.runtime.name, timing=timing)
