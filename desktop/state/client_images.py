"""Images that clients of the API sent, and how many of them are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.detect.detection import Detections
from engine.image.source import Source

MOST_IMAGES, MOST_BYTES = 200, 1_000_000_000


@dataclass(frozen=True, eq=False)
class ClientImage:
    """An image that a client sent.

    Attributes:
        source: The image, named by the time of its request.
        found: Every detection that it was answered with.
        content_hash: Of its content; empty where it is too large to be opened.
    """

    source: Source
    found: Detections
    content_hash: str


def newest(sources: Sequence[Source], shown: Source | None = None) -> tuple[Source, ...]:
    """Return the newest images within MOST_IMAGES and MOST_BYTES, and `shown` in any case, in their order."""
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
