"""What is known of each image of the list, by its place: content, flags, whether it was detected in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from desktop.viewer_state import REVIEWED, UNKNOWN_COUNT, UNREADABLE, Marks
from engine.detect.detection import Filter
from engine.review.refine import Refinement
from engine.review.tally import SessionScores


class Known(Protocol):
    """What a session knows of a place."""

    @property
    def content_hash(self) -> str:
        """The content that was there; empty where it was never read."""

    @property
    def is_reviewed(self) -> bool:
        """Whether a person is done with it."""

    @property
    def unreadable(self) -> str:
        """Why it could not be read; empty where it could."""


class Places:
    """Grows with the list of images; what clients sent stands behind it and is not counted here."""

    def __init__(self) -> None:
        self._hashes: list[str] = []
        self._by_hash: dict[str, list[int]] = {}
        self._by_location: dict[str, int] = {}
        self._flags = np.zeros(0, np.uint8)
        self._detected = np.zeros(0, bool)

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, locations: Sequence[str]) -> int:
        """Add images to the end; returns the place of the first."""
        first, count = len(self._hashes), len(locations)
        self._hashes.extend([""] * count)
        for place, location in enumerate(locations, first):
            self._by_location.setdefault(location, place)
        self._flags = np.concatenate([self._flags, np.zeros(count, np.uint8)])
        self._detected = np.concatenate([self._detected, np.zeros(count, bool)])
        return first

    def know(self, first: int, locations: Sequence[str], known: Mapping[str, Known]) -> None:
        """Take over what the session knows of the images from `first` on; what was found out meanwhile stays."""
        for place, location in enumerate(locations, first):
            there = known.get(location)
            if there is not None and not self._hashes[place]:
                self._remember(place, there.content_hash)
                self._flags[place] = REVIEWED * there.is_reviewed | UNREADABLE * bool(there.unreadable)

    def hash_of(self, place: int) -> str:
        """The content of an image; empty before it was read."""
        return self._hashes[place] if place < len(self._hashes) else ""

    @property
    def contents(self) -> list[str]:
        """The contents that are known, in the order of the list."""
        return list(self._by_hash)

    def at(self, location: str) -> int | None:
        """Where the image from this path or URL is."""
        return self._by_location.get(location)

    def having(self, content_hash: str) -> Sequence[int]:
        """Where images of this content are; copies of a file are several."""
        return self._by_hash.get(content_hash, ())

    def opened(self, place: int, content_hash: str, is_reviewed: bool) -> None:
        """An image was read: it is readable, and its content is known."""
        if place < len(self._hashes):
            self._remember(place, content_hash)
            self._flags[place] = REVIEWED * is_reviewed

    def failed(self, place: int) -> None:
        """An image cannot be read."""
        if place < len(self._hashes):
            self._flags[place] |= UNREADABLE

    def detected(self, place: int) -> None:
        """It is known what is in an image."""
        self._detected[place] = True

    def forget_detections(self) -> None:
        """Nothing is known to be in any image: another model is asked."""
        self._detected[:] = False

    def reviewed(self, content_hash: str, is_reviewed: bool) -> None:
        """A person is done with the images of this content, or not any more."""
        for place in self.having(content_hash):
            self._flags[place] = (self._flags[place] & ~np.uint8(REVIEWED)) | REVIEWED * is_reviewed

    @property
    def are_reviewed(self) -> np.ndarray:
        """bool [N]: which images are reviewed."""
        return (self._flags & REVIEWED).astype(bool)

    def next_open(self, place: int, step: int) -> int | None:
        """The next place in the direction of `step` that is neither reviewed nor unreadable."""
        return next(
            (at for at in range(place + step, len(self) if step > 0 else -1, step) if not self._flags[at]), None
        )

    def marks(self, count: int, scores: SessionScores, chosen: Filter, refinement: Refinement) -> Marks:
        """What the list of `count` images tells of each."""
        marks = Marks.of_none(count)
        known = min(len(self), count)
        marks.flags[:known] = self._flags[:known]
        shown = scores.shown_per_place(known, chosen, refinement)
        marks.counts[:known] = np.where(self._detected[:known], shown, UNKNOWN_COUNT)
        return marks

    def _remember(self, place: int, content_hash: str) -> None:
        former = self._hashes[place]
        if former == content_hash:
            return
        if former:
            self._by_hash[former].remove(place)
        self._hashes[place] = content_hash
        if content_hash:
            self._by_hash.setdefault(content_hash, []).append(place)
