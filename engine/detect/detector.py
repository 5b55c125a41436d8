"""One model, ready to detect."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from engine.detect.detection import Detections, Timing
from engine.detect.recipe import Prepared, Recipe
from engine.detect.runtimes.base import Runtime


@dataclass(frozen=True)
class Detector:
    """A model in memory.

    Attributes:
        name: Its name in the catalog.
        recipe: The way around it.
        runtime: What executes it.
    """

    name: str
    recipe: Recipe
    runtime: Runtime

    def detect(self, prepared: Prepared) -> Detections:
        """Every detection in an image that this model's recipe prepared, best score first.

        Raises:
            DetectionError: out of memory, or the device failed.
        """
        started = time.perf_counter()
        output = self.runtime.run(prepared.tensors)
        answered = time.perf_counter()
        found = self.recipe.detections(output, prepared.width, prepared.height)
        finished = time.perf_counter()
        timing = Timing(
            preprocess=prepared.milliseconds,
            model=(answered - started) * 1e3,
            postprocess=(finished - answered) * 1e3,
        )
        return replace(found, model=self.name, device=self.runtime.device, runtime=self.runtime.name, timing=timing)
