"""A person's decision about one detection, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.detect.detection import Box, Detection


class Status(StrEnum):
    """The outcome of a decision."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Original:
    """The model's detection that a decision is about.

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
        """Make an original of a detection by `model`."""
        return cls(detection.label, detection.score, detection.box, model)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision; relabelling or moving a detection accepts it.

    Attributes:
        id: Its number in the session, from 1.
        status: Accepted, rejected or added.
        label: The class after the decision.
        box: The box after the decision: xyxy, pixels of the image as shown.
        original: The model's detection; `None` for a box that a person added.
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
        """Whether the person changed the class."""
        return self.original is not None and self.original.label != self.label

    @property
    def moved(self) -> bool:
        """Whether the person changed the box."""
        return self.original is not None and self.original.box != self.box
