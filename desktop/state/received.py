"""Images that clients of the API sent, as values, and how many of them are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.detect.detection import Detections
from engine.image.source import Source

MOST_IMAGES, MOST_BYTES = 200, 1_000_000_000


@dataclass(frozen=True, eq=False)
class Received:
    """An image that a client sent.

    Attributes:
        source: The image, named by when it came.
        found: What it was answered, of every score.
        content_hash: Names its content; empty where it is too large to be opened.
    """

    source: Source
    found: Detections
    content_hash: str


def newest(sources: Sequence[Source], shown: Source | None = None) -> tuple[Source, ...]:
    """The last of them that are not too many or too large, and the one that is shown, in their order."""
    kept: list[Source] = []
    room = MOST_BYTES - (len(shown.content) if shown is not None else 0)
    for source in reversed(sources):
        if source is shown:
            kept.append(source)
            continue
        room -= len(source.content)
        if room >= 0 and len(kept) < MOST_IMAGES:
            kept.append(source)
    return tuple(reversed(kept))
