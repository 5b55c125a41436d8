"""Detection by transformers alone, for parity tests and benchmarks; the program itself never uses it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.detect.detection import Detections, Timing


class PlainDetector:
    """A checkpoint used as in the documentation of transformers."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        from transformers import AutoImageProcessor, AutoModelForObjectDetection

        self.device = device
        self._processor: Any = AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True)
        self._model: Any = AutoModelForObjectDetection.from_pretrained(folder, local_files_only=True).eval().to(device)

    def detect(self, image: Image.Image, threshold: float = 0.0) -> Detections:
        """Run processor, model and `post_process_object_detection`; clip to the image and sort by score.

        Args:
            image: RGB.
            threshold: Keep scores greater than this.
        """
        return self.detect_batch([image], threshold)[0]

    def detect_batch(self, images: list[Image.Image], threshold: float = 0.0) -> list[Detections]:
        """Detect in a batch of images; the timing is that of the whole batch."""
        import torch

        started = time.perf_counter()
        inputs = self._processor(images=images, return_tensors="pt").to(self.device)
        prepared = time.perf_counter()
        with torch.no_grad():
            outputs = self._model(**inputs)
        answered = time.perf_counter()
        target_sizes = torch.tensor([[image.height, image.width] for image in images])
        results = self._processor.post_process_object_detection(outputs, threshold, target_sizes)
        founds = [self._detections(result, image) for result, image in zip(results, images, strict=True)]
        timing = Timing(
            preprocess=(prepared - started) * 1e3,
            model=(answered - prepared) * 1e3,
            postprocess=(time.perf_counter() - answered) * 1e3,
        )
        return [replace(found, device=self.device, runtime="transformers", timing=timing) for found in founds]

    def _detections(self, result: Any, image: Image.Image) -> Detections:
        scores, label_ids, boxes = (result[key].cpu().numpy() for key in ("scores", "labels", "boxes"))
        names = self._model.config.id2label
        return Detections.from_arrays(scores, label_ids.astype(np.int64), boxes, names, image.width, image.height)
