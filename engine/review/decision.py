"""What a person decided about one detection, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.detect.detection import Box, Detection


class Status(StrEnum):
    """What became of a detection."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Original:
    """What the model had said before a person decided.

    Attributes:
        label: The class's name.
        score: Confidence, 0..1.
        box: xyxy, pixels of the image as shown.
        model: The model's name in the catalog.
    """

    label: str
    score: float
    box: Box
    model: str = ""

    @classmethod
    def of(cls, detection: Detection, model: str) -> Original:
        """What `model` said."""
        return cls(detection.label, detection.score, detection.box, model)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision; relabelling or moving a detection accepts it.

    Attributes:
        id: Its number in the session, from 1.
        status: Accepted, rejected or added.
        label: The class that the person left or gave it.
        box: xyxy, pixels of the image as shown, as the person left it.
        original: What the model had said; `None` where the person added the box.
    """

    id: int
    status: Status
    label: str
    box: Box
    original: Original | None = None

    @property
    def score(self) -> float:
        """The model's score; 1.0 for a box that a person added."""
        return 1.0 if self.original is None else self.original.score

    @property
    def relabelled(self) -> bool:
        """Whether the person gave it another class."""
        return self.original is not None and self.original.label != self.label

    @property
    def moved(self) -> bool:
        """Whether the person changed its box."""
        return self.original is not None and self.original.box != self.box
