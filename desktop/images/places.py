"""What is known of each image of the list: content, flags, whether it was detected in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from desktop.state.received import MOST_IMAGES
from desktop.state.viewer import REVIEWED, UNKNOWN_COUNT, UNREADABLE, Marks
from engine.detect.detection import Filter
from engine.review.refine import Refinement
from engine.review.tally import SessionScores

_ROOM = MOST_IMAGES + 1
"""Numbers for images that clients sent: as many as are kept, and the shown one."""

ScalarT = TypeVar("ScalarT", bound=np.generic)


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
    """The images that were opened together, which only become more, and behind them those that clients sent.

    An image's place is where it stands now. Its number stays the same as long as it is in the list; the numbers of
    clients' images come first and are given anew when one leaves.
    """

    def __init__(self) -> None:
        self._hashes = [""] * _ROOM
        self._by_hash: dict[str, list[int]] = {}
        self._by_location: dict[str, int] = {}
        self._flags = np.zeros(_ROOM, np.uint8)
        self._detected = np.zeros(_ROOM, bool)
        self._received: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._hashes) - _ROOM + len(self._received)

    def number(self, place: int) -> int:
        """The number of the image that stands there."""
        behind = place - (len(self._hashes) - _ROOM)
        return place + _ROOM if behind < 0 else list(self._received.values())[behind]

    def place(self, number: int) -> int:
        """Where the image of this number stands."""
        if number >= _ROOM:
            return number - _ROOM
        return len(self._hashes) - _ROOM + list(self._received.values()).index(number)

    def add(self, locations: Sequence[str]) -> int:
        """Add images behind those that were opened together; returns the number of the first."""
        first, count = len(self._hashes), len(locations)
        self._hashes.extend([""] * count)
        for number, location in enumerate(locations, first):
            self._by_location.setdefault(location, number)
        self._flags = np.concatenate([self._flags, np.zeros(count, np.uint8)])
        self._detected = np.concatenate([self._detected, np.zeros(count, bool)])
        return first

    def receive(self, locations: Sequence[str]) -> list[int]:
        """These are the images that clients sent, in order; returns the numbers of those that left."""
        staying = set(locations)
        gone = [number for location, number in self._received.items() if location not in staying]
        for number in gone:
            self._remember(number, "")
            self._flags[number] = self._detected[number] = 0
        kept = {location: number for location, number in self._received.items() if location in staying}
        free = iter(sorted(set(range(_ROOM)) - set(kept.values())))
        self._received = {each: kept[each] if each in kept else next(free) for each in locations}
        return gone

    @property
    def received(self) -> Mapping[str, int]:
        """The numbers of the images that clients sent, by their location, in order."""
        return self._received

    def know(self, first: int, locations: Sequence[str], known: Mapping[str, Known]) -> None:
        """Take over what the session knows of the images from number `first` on; what was found out meanwhile stays."""
        for number, location in enumerate(locations, first):
            there = known.get(location)
            if there is not None and not self._hashes[number]:
                self._remember(number, there.content_hash)
                self._flags[number] = REVIEWED * there.is_reviewed | UNREADABLE * bool(there.unreadable)

    def hash_of(self, number: int) -> str:
        """The content of an image; empty before it was read."""
        return self._hashes[number]

    @property
    def contents(self) -> list[str]:
        """The contents that are known."""
        return list(self._by_hash)

    def at(self, location: str) -> int | None:
        """The number of the image from this path or URL."""
        return self._by_location.get(location)

    def having(self, content_hash: str) -> Sequence[int]:
        """The numbers of the images of this content; copies of a file are several."""
        return self._by_hash.get(content_hash, ())

    def opened(self, number: int, content_hash: str, is_reviewed: bool) -> None:
        """An image was read: it is readable, and its content is known."""
        self._remember(number, content_hash)
        self._flags[number] = REVIEWED * is_reviewed

    def failed(self, number: int) -> None:
        """An image cannot be read."""
        self._flags[number] |= UNREADABLE

    def detected(self, number: int) -> None:
        """It is known what is in an image."""
        self._detected[number] = True

    def forget_detections(self) -> None:
        """Nothing is known to be in any image: another model is asked."""
        self._detected[:] = False

    def reviewed(self, content_hash: str, is_reviewed: bool) -> None:
        """A person is done with the images of this content, or not any more."""
        for number in self.having(content_hash):
            self._flags[number] = (self._flags[number] & ~np.uint8(REVIEWED)) | REVIEWED * is_reviewed

    @property
    def are_reviewed(self) -> npt.NDArray[np.bool_]:
        """bool [N]: which images are reviewed, by number."""
        return (self._flags & REVIEWED).astype(bool)

    def next_open(self, place: int, step: int) -> int | None:
        """The next place in the direction of `step` that is neither reviewed nor unreadable."""
        flags = self._by_place(self._flags)
        return next((at for at in range(place + step, len(self) if step > 0 else -1, step) if not flags[at]), None)

    def marks(self, count: int, scores: SessionScores, chosen: Filter, refinement: Refinement) -> Marks:
        """What the list of `count` images tells of each, by place."""
        marks = Marks.of_none(count)
        known = min(len(self), count)
        marks.flags[:known] = self._by_place(self._flags)[:known]
        shown = scores.shown_per_image(len(self._hashes), chosen, refinement)
        marks.counts[:known] = self._by_place(np.where(self._detected, shown, UNKNOWN_COUNT))[:known]
        return marks

    def _by_place(self, values: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """What is kept by number in the order of the list."""
        return np.concatenate([values[_ROOM:], values[list(self._received.values())]])

    def _remember(self, number: int, content_hash: str) -> None:
        former = self._hashes[number]
        if former == content_hash:
            return
        if former:
            copies = self._by_hash[former]
            copies.remove(number)
            if not copies:
                del self._by_hash[former]
        self._hashes[number] = content_hash
        if content_hash:
            self._by_hash.setdefault(content_hash, []).append(number)
