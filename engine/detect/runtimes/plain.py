"""The textbook transformers way, for parity tests and benchmarks; the program itself never runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.detect.detection import Detections


class PlainDetector:
    """A checkpoint used as the transformers documentation does."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoImageProcessor, AutoModelForObjectDetection

        self._processor: Any = AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True)
        self._model: Any = AutoModelForObjectDetection.from_pretrained(folder, local_files_only=True).eval()

    def detect(self, image: Image.Image, threshold: float = 0.0) -> Detections:
        """Processor, model, `post_process_object_detection`; then clipped to the image and sorted by score.

        Args:
            image: RGB.
            threshold: Keep scores greater than this.
        """
        import torch

        inputs = self._processor(images=image, return_tensors="pt")
        with torch.no_grad():
            outputs = self._model(**inputs)
        target_sizes = torch.tensor([[image.height, image.width]])
        found = self._processor.post_process_object_detection(outputs, threshold, target_sizes)[0]
        scores, label_ids, boxes = (found[key].numpy() for key in ("scores", "labels", "boxes"))
        names = self._model.config.id2label
        return Detections.from_arrays(scores, label_ids.astype(np.int64), boxes, names, image.width, image.height)
