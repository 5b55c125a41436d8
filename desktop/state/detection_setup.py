"""How images are detected in."""

from __future__ import annotations

from dataclasses import dataclass

from engine.detect.detection import Detections
from engine.detect.tiling import Tiling


@dataclass(frozen=True, slots=True)
class DetectionSetup:
    """What the detections of an image depend on beside the image.

    Attributes:
        model: The name of the model.
        tiling: How large images are cut into tiles; `None` where they are not.
    """

    model: str
    tiling: Tiling | None = None

    def made(self, found: Detections) -> bool:
        """Return whether detections come from this model and tiling."""
        return (found.model, found.tiling) == (self.model, self.tiling)
