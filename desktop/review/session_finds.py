"""What was found in the images of the list: counted, and held here where no file keeps it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from desktop.images.places import Places
from desktop.state.received import Received
from engine.detect.detection import Detections
from engine.image.source import Source
from engine.review.image_review import ImageReview
from engine.review.merge import match_decisions
from engine.review.tally import SessionScores, Tally

KeptOf = Callable[[str], ImageReview]
"""What was decided about the image of a content hash."""


class Finds:
    """Of one list of images; all is by their numbers in `places`.

    Attributes:
        places: The images.
        answers: What is in those that no file keeps: every one that a client sent, and pasted ones once it is known.
    """

    def __init__(self) -> None:
        self.places = Places()
        self.answers: dict[int, Detections] = {}
        self._tally = Tally()

    def scores(self) -> SessionScores:
        """All scores that are known now."""
        return self._tally.scores()

    def of_another_list(self, kept_of: KeptOf) -> Finds:
        """For another list, with the same images of clients behind it."""
        other, received = Finds(), self.places.received
        other.places.receive(list(received))
        for location, number in received.items():
            there = other.places.received[location]
            other._hold(there, self.places.hash_of(number), self.answers[number], kept_of)
        return other

    def receive(self, images: Sequence[Received], inbox: Sequence[Source], kept_of: KeptOf) -> None:
        """Clients sent images; those in `inbox` are in the list now, in this order."""
        for gone in self.places.receive([source.location for source in inbox]):
            self._tally.remove(gone)
            del self.answers[gone]
        for each in images:
            number = self.places.received.get(each.source.location)
            if number is not None:
                self._hold(number, each.content_hash, each.found, kept_of)

    def decide_again(self, kept_of: KeptOf) -> None:
        """Other decisions hold for the images that clients sent: another session is open."""
        for number in self.places.received.values():
            self._hold(number, self.places.hash_of(number), self.answers[number], kept_of)

    def forget(self, kept_of: KeptOf) -> None:
        """Another model is asked; clients' images keep their answers."""
        self._tally = Tally()
        self.places.forget_detections()
        self.answers = {number: self.answers[number] for number in self.places.received.values()}
        self.decide_again(kept_of)

    def count(self, content_hash: str, found: Detections, decided: Collection[int]) -> None:
        """Count an image's detections, wherever it is in the list; `decided` are the indices of decided ones."""
        for number in self.places.having(content_hash):
            self._tally.put(number, found, decided)
            self.places.detected(number)
            if number in self.answers:
                self.answers[number] = found

    def hold(self, content_hash: str, found: Detections) -> None:
        """Keep what is in an image that no file keeps, as long as it is in the list."""
        self.answers |= dict.fromkeys(self.places.having(content_hash), found)

    def _hold(self, number: int, content_hash: str, found: Detections, kept_of: KeptOf) -> None:
        kept = kept_of(content_hash)
        self.places.opened(number, content_hash, kept.is_reviewed)
        self.places.detected(number)
        self._tally.put(number, found, set(match_decisions(found, kept.decisions).values()))
        self.answers[number] = found
