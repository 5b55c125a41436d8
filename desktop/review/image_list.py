"""What is known of each image in the list: content hash, flags, whether the model has been asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from desktop.state.client_images import MOST_IMAGES
from desktop.state.viewer import REVIEWED, UNKNOWN_COUNT, UNREADABLE, Marks
from engine.detect.detection import Filter
from engine.review.refine import Refinement
from engine.review.tally import SessionScores

_ROOM = MOST_IMAGES + 1
"""Numbers reserved for client images: as many as are kept, and the shown one."""

ScalarT = TypeVar("ScalarT", bound=np.generic)


class Record(Protocol):
    """What a session knows of a location."""

    @property
    def content_hash(self) -> str:
        """The hash of the content that was there; empty where it was never read."""

    @property
    def is_reviewed(self) -> bool:
        """Whether the image is reviewed."""

    @property
    def unreadable(self) -> str:
        """Why it could not be read; empty where it could."""


class ImageList:
    """The opened images, which only grow in number, followed by the images that clients of the API sent.

    The row of an image is its present position in the list. Its number stays the same while it is in the list; the
    numbers of client images are below all others and are reused when an image leaves.

    Attributes:
        version: Counts the changes.
    """

    def __init__(self) -> None:
        self.version = 0
        self._hashes = [""] * _ROOM
        self._by_hash: dict[str, list[int]] = {}
        self._by_location: dict[str, int] = {}
        self._flags = np.zeros(_ROOM, np.uint8)
        self._detected = np.zeros(_ROOM, bool)
        self._clients: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._hashes) - _ROOM + len(self._clients)

    def number(self, row: int) -> int:
        """Return the number of the image in a row."""
        behind = row - (len(self._hashes) - _ROOM)
        return row + _ROOM if behind < 0 else list(self._clients.values())[behind]

    def row(self, number: int) -> int:
        """Return the row of the image with a number."""
        if number >= _ROOM:
            return number - _ROOM
        return len(self._hashes) - _ROOM + list(self._clients.values()).index(number)

    def add(self, locations: Sequence[str]) -> int:
        """Append opened images and return the number of the first."""
        self.version += 1
        first, count = len(self._hashes), len(locations)
        self._hashes.extend([""] * count)
        for number, location in enumerate(locations, first):
            self._by_location.setdefault(location, number)
        self._flags = np.concatenate([self._flags, np.zeros(count, np.uint8)])
        self._detected = np.concatenate([self._detected, np.zeros(count, bool)])
        return first

    def set_client_images(self, locations: Sequence[str]) -> list[int]:
        """Replace the client images by these, in order, and return the numbers of those that left."""
        self.version += 1
        staying = set(locations)
        gone = [number for location, number in self._clients.items() if location not in staying]
        for number in gone:
            self._set_hash(number, "")
            self._flags[number] = self._detected[number] = 0
        kept = {location: number for location, number in self._clients.items() if location in staying}
        free = iter(sorted(set(range(_ROOM)) - set(kept.values())))
        self._clients = {each: kept[each] if each in kept else next(free) for each in locations}
        return gone

    @property
    def client_numbers(self) -> Mapping[str, int]:
        """The numbers of the client images by location, in the order of the list."""
        return self._clients

    def add_records(self, first: int, locations: Sequence[str], records: Mapping[str, Record]) -> None:
        """Add what a session knows of the images from number `first` on; what is known already stays."""
        self.version += 1
        for number, location in enumerate(locations, first):
            record = records.get(location)
            if record is not None and not self._hashes[number]:
                self._set_hash(number, record.content_hash)
                self._flags[number] = REVIEWED * record.is_reviewed | UNREADABLE * bool(record.unreadable)

    def hash_of(self, number: int) -> str:
        """Return the content hash of an image; empty before it was read."""
        return self._hashes[number]

    @property
    def content_hashes(self) -> list[str]:
        """The content hashes that are known."""
        return list(self._by_hash)

    def number_at(self, location: str) -> int | None:
        """Return the number of the image from a path or URL."""
        return self._by_location.get(location)

    def numbers_of(self, content_hash: str) -> Sequence[int]:
        """Return the numbers of the images with this content; copies of a file have the same."""
        return self._by_hash.get(content_hash, ())

    def set_read(self, number: int, content_hash: str, is_reviewed: bool) -> None:
        """Record that an image could be read."""
        self.version += 1
        self._set_hash(number, content_hash)
        self._flags[number] = REVIEWED * is_reviewed

    def set_unreadable(self, number: int) -> None:
        """Record that an image cannot be read."""
        self.version += 1
        self._flags[number] |= UNREADABLE

    def set_detected(self, number: int) -> None:
        """Record that the detections of an image are known."""
        self.version += 1
        self._detected[number] = True

    def forget_detections(self) -> None:
        """Record that the detections of no image are known: another model is asked."""
        self.version += 1
        self._detected[:] = False

    def set_reviewed(self, content_hash: str, is_reviewed: bool) -> None:
        """Record whether the images of this content are reviewed."""
        self.version += 1
        for number in self.numbers_of(content_hash):
            self._flags[number] = (self._flags[number] & ~np.uint8(REVIEWED)) | REVIEWED * is_reviewed

    @property
    def are_reviewed(self) -> npt.NDArray[np.bool_]:
        """bool [N]: which images are reviewed, by number."""
        return (self._flags & REVIEWED).astype(bool)

    def next_unreviewed(self, row: int, step: int) -> int | None:
        """Return the next row in the direction of `step` that is neither reviewed nor unreadable."""
        flags = self._by_row(self._flags)
        return next((at for at in range(row + step, len(self) if step > 0 else -1, step) if not flags[at]), None)

    def marks(self, count: int, scores: SessionScores, chosen: Filter, refinement: Refinement) -> Marks:
        """Return the marks of the first `count` rows."""
        marks = Marks.of_none(count)
        known = min(len(self), count)
        marks.flags[:known] = self._by_row(self._flags)[:known]
        shown = scores.shown_per_image(len(self._hashes), chosen, refinement)
        marks.counts[:known] = self._by_row(np.where(self._detected, shown, UNKNOWN_COUNT))[:known]
        return marks

    def _by_row(self, values: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """Return values by number in the order of the rows."""
        return np.concatenate([values[_ROOM:], values[list(self._clients.values())]])

    def _set_hash(self, number: int, content_hash: str) -> None:
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
