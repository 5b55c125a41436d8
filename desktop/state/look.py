"""How the window has images looked at."""

from __future__ import annotations

from dataclasses import dataclass

from engine.detect.detection import Detections
from engine.detect.tiling import Tiling


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked about images: another look brings other answers.

    Attributes:
        model: Which model is asked.
        tiling: How large images are cut into tiles, if they are.
    """

    model: str
    tiling: Tiling | None = None

    def has_found(self, found: Detections) -> bool:
        """Whether these detections are an answer to it."""
        return (found.model, found.tiling) == (self.model, self.tiling)
