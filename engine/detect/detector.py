"""One model, ready to detect."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from PIL import Image

from engine.detect.detection import Detections, Timing
from engine.detect.postprocess import detections_from_raw
from engine.detect.runtimes.base import Runtime
from engine.models.checkpoint import Checkpoint


@dataclass(frozen=True)
class Detector:
    """A model in memory.

    Attributes:
        name: Its name in the catalog.
        checkpoint: Its files, read.
        runtime: What executes it.
    """

    name: str
    checkpoint: Checkpoint
    runtime: Runtime

    def detect(self, image: Image.Image) -> Detections:
        """Every detection in an RGB image, best score first.

        Raises:
            DetectionError: out of memory, or the device failed.
        """
        started = time.perf_counter()
        pixels, mask = self.checkpoint.preprocessing(image)
        prepared = time.perf_counter()
        logits, boxes = self.runtime.run(pixels, mask)
        answered = time.perf_counter()
        found = detections_from_raw(
            logits, boxes, self.checkpoint.family, self.checkpoint.names, image.width, image.height
        )
        finished = time.perf_counter()
        timing = Timing(
            preprocess=(prepared - started) * 1e3,
            model=(answered - prepared) * 1e3,
            postprocess=(finished - answered) * 1e3,
        )
        return replace(found, model=self.name, device=self.runtime.device, runtime=self.runtime.name, timing=timing)
