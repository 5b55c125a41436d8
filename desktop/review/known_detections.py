"""Detections of the images in the list: their scores, and those that no session file keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from desktop.review.image_list import ImageList
from desktop.state.client_images import ClientImage
from engine.detect.detection import Detections
from engine.image.source import Source
from engine.review.image_review import ImageReview
from engine.review.merge import match_decisions
from engine.review.tally import SessionScores, Tally

ReviewOf = Callable[[str], ImageReview]
"""Returns the decisions about the image with a content hash."""


class KnownDetections:
    """What is known of one list of images, by their numbers in `images`.

    Attributes:
        images: The list.
        held: Detections of the images that no file keeps: every client image, and pasted ones once they are known.
    """

    def __init__(self) -> None:
        self.images = ImageList()
        self.held: dict[int, Detections] = {}
        self._tally = Tally()

    def scores(self) -> SessionScores:
        """Return all scores that are known now; the same value until something changes."""
        return self._tally.scores()

    def for_another_list(self, review_of: ReviewOf) -> KnownDetections:
        """Return what is known of an empty list that the same client images follow."""
        other, clients = KnownDetections(), self.images.client_numbers
        other.images.set_client_images(list(clients))
        for location, number in clients.items():
            there = other.images.client_numbers[location]
            other._add(there, self.images.hash_of(number), self.held[number], review_of)
        return other

    def set_client_images(self, images: Sequence[ClientImage], inbox: Sequence[Source], review_of: ReviewOf) -> None:
        """Take over new client images.

        Args:
            images: The new ones; some may be in the list no more.
            inbox: The client images in the list, in order.
            review_of: Returns the decisions about an image.
        """
        for gone in self.images.set_client_images([source.location for source in inbox]):
            self._tally.remove(gone)
            del self.held[gone]
        for each in images:
            number = self.images.client_numbers.get(each.source.location)
            if number is not None:
                self._add(number, each.content_hash, each.found, review_of)

    def review_clients_again(self, review_of: ReviewOf) -> None:
        """Apply the decisions of another session to the client images."""
        for number in self.images.client_numbers.values():
            self._add(number, self.images.hash_of(number), self.held[number], review_of)

    def forget(self, review_of: ReviewOf) -> None:
        """Forget all detections, because another model is asked; client images keep theirs."""
        self._tally = Tally()
        self.images.forget_detections()
        self.held = {number: self.held[number] for number in self.images.client_numbers.values()}
        self.review_clients_again(review_of)

    def put(self, content_hash: str, found: Detections, decided: Collection[int]) -> None:
        """Set the detections of every image with this content.

        Args:
            content_hash: Of the image.
            found: Every detection in it.
            decided: `Detection.index` of those that were decided about.
        """
        for number in self.images.numbers_of(content_hash):
            self._tally.put(number, found, decided)
            self.images.set_detected(number)
            if number in self.held:
                self.held[number] = found

    def hold(self, content_hash: str, found: Detections) -> None:
        """Keep the detections of images that no file keeps, as long as they are in the list."""
        self.held |= dict.fromkeys(self.images.numbers_of(content_hash), found)

    def _add(self, number: int, content_hash: str, found: Detections, review_of: ReviewOf) -> None:
        review = review_of(content_hash)
        self.images.set_read(number, content_hash, review.is_reviewed)
        self.images.set_detected(number)
        self._tally.put(number, found, set(match_decisions(found, review.decisions).values()))
        self.held[number] = found
