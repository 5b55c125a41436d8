"""The scores of a whole session: where to cut, how many each class and image has, what is least sure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections, Filter
from engine.review.columns import Columns
from engine.review.refine import Refinement

FLOOR = 0.05
"""Scores up to this are not kept: nobody cuts there, and most queries of a DETR lie there."""

DEAD = 0.0
"""The score of a row that no longer counts: no threshold lets it through."""

_FIRST_ROWS = 1024
_NARROWEST = 1 / 1024


@dataclass(frozen=True, eq=False)
class SessionScores:
    """Undecided and decided detections of all images that were detected in, by one model.

    The rows of an image follow one another, best score first. Rows that no longer count are left among them.

    Attributes:
        scores: float32 [M], above FLOOR; DEAD where a row no longer counts.
        labels: int32 [M], places in `names`.
        places: int32 [M], the image's place in the list.
        indices: int32 [M], `Detection.index`.
        names: Class names.
        is_decided: bool [M], whether a person decided about it.
    """

    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int32]
    names: tuple[str, ...]
    is_decided: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """How many detections count."""
        return int(np.count_nonzero(self.scores))

    def histogram(self, bins: int = 50, label: str | None = None) -> npt.NDArray[np.int64]:
        """How many scores lie in each of `bins` equal parts of 0..1, of one class or of all: int64 [bins].

        A part holds its upper edge and not its lower one, as a threshold lets through only what is greater.
        """
        scores = self.scores if label is None else self.scores[self._is_of(label)]
        return np.bincount(np.ceil(scores * np.float32(bins)).astype(np.intp), minlength=bins + 1)[1:]

    def count_above(self, threshold: float, label: str | None = None) -> int:
        """How many scores are greater than `threshold`, of one class or of all."""
        above = self.scores > np.float32(threshold)
        if label is not None:
            above &= self._is_of(label)
        return int(np.count_nonzero(above))

    def class_counts(self, chosen: Filter, refinement: Refinement) -> dict[str, int]:
        """Return how many detections of each class pass, by its name; see `shown_per_place`."""
        passing = self._counted(chosen, refinement)
        if chosen.top_k is None:
            return dict(zip(self.names, passing.per_label.tolist(), strict=True))
        rows = _above(self, passing.least)
        starts = np.flatnonzero(np.diff(self.places[rows], prepend=-1))
        ranks = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
        counts = np.bincount(self.labels[rows[ranks < chosen.top_k]], minlength=len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))

    def shown_per_place(self, count: int, chosen: Filter, refinement: Refinement) -> npt.NDArray[np.int32]:
        """Return how many detections of each image pass, for the places 0 to `count` - 1: int32 [count].

        Labels, thresholds, hidden classes and top_k choose as in `keep_refined`. Suppression does not, since boxes are
        not kept here, and neither do decisions: where they are, an image may show some more or less.
        """
        counts = np.zeros(count, np.int32)
        known = self._counted(chosen, refinement).per_place[:count]
        counts[: len(known)] = known
        return counts if chosen.top_k is None else np.minimum(counts, np.int32(chosen.top_k))

    def least_sure(
        self, chosen: Filter, refinement: Refinement, reviewed: npt.NDArray[np.bool_], most: int = 1000
    ) -> list[tuple[int, int]]:
        """Place and index of the undecided detections nearest above the threshold of their class, nearest first.

        Equals come by place and index. Suppression is passed over, as in `shown_per_place`.

        Args:
            chosen: Labels and the general threshold; top_k cuts nothing off here.
            refinement: Thresholds of classes, hidden classes.
            reviewed: By place; images that are reviewed, and places behind its end, are passed over.
            most: How many to name at most.
        """
        closed = np.ones(max(len(reviewed), self.place_count), bool)
        closed[: len(reviewed)] = reviewed
        least = self._thresholds(chosen, refinement)
        distances = self.scores - least[self.labels]
        distances[(distances <= 0) | self.is_decided | closed[self.places]] = np.inf
        rows = _nearest(distances, most)
        order = np.lexsort((self.indices[rows], self.places[rows], distances[rows]))
        rows = rows[order[:most]]
        return list(zip(self.places[rows].tolist(), self.indices[rows].tolist(), strict=True))

    def _counted(self, chosen: Filter, refinement: Refinement) -> _Passing:
        """Return what labels, thresholds and hidden classes let through.

        The last result is kept. Where one threshold for all has moved, only the rows between its former and its new
        value are counted: moving a slider costs no pass over everything that is shown.
        """
        least = self._thresholds(chosen, refinement)
        former = self._last[0] if self._last else None
        if former is None or not np.array_equal(former.least, least):
            is_moved = former is not None and _single(former.least) is not None and _single(least) is not None
            now = former.moved(self, least) if former is not None and is_moved else _Passing.of(self, least)
            self._last[:] = [now]
        return self._last[0]

    def _thresholds(self, chosen: Filter, refinement: Refinement) -> npt.NDArray[np.float32]:
        """By place in `names`; infinite for a class that is not shown."""
        return np.array(
            [
                refinement.threshold_of(name, chosen.threshold)
                if refinement.shows(name) and (chosen.labels is None or name in chosen.labels)
                else np.inf
                for name in self.names
            ],
            np.float32,
        )

    def _is_of(self, label: str) -> npt.NDArray[np.bool_]:
        number = self.names.index(label) if label in self.names else -1
        of_label: npt.NDArray[np.bool_] = self.labels == number
        return of_label

    @cached_property
    def _last(self) -> list[_Passing]:
        """The last result of `_counted`, once there is one."""
        return []

    @cached_property
    def place_count(self) -> int:
        """The largest place, plus one."""
        return int(self.places.max(initial=-1)) + 1


@dataclass(frozen=True, eq=False)
class _Passing:
    """What passes some thresholds.

    Attributes:
        least: By place in `SessionScores.names`, the threshold.
        per_label, per_place: How many rows pass, int64.
    """

    least: npt.NDArray[np.float32]
    per_label: npt.NDArray[np.int64]
    per_place: npt.NDArray[np.int64]

    @classmethod
    def of(cls, scores: SessionScores, least: npt.NDArray[np.float32]) -> _Passing:
        """Count in all rows."""
        rows = _above(scores, least)
        return cls(least, *_per_label_and_place(scores, rows))

    def moved(self, scores: SessionScores, least: npt.NDArray[np.float32]) -> _Passing:
        """Count on from here, where `least` is one threshold for all classes as it is here."""
        former, now = self.least[0], least[0]
        low, high = min(former, now), max(former, now)
        rows = np.flatnonzero((scores.scores > low) & (scores.scores <= high))
        labels, places = _per_label_and_place(scores, rows)
        sign = 1 if now < former else -1
        return _Passing(least, self.per_label + sign * labels, self.per_place + sign * places)


def _single(least: npt.NDArray[np.float32]) -> np.float32 | None:
    """Return the threshold that all classes have, if it is one and finite."""
    is_one = len(least) > 0 and bool((least == least[0]).all()) and bool(np.isfinite(least[0]))
    return least[0] if is_one else None


def _above(scores: SessionScores, least: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    single = _single(least)
    return np.flatnonzero(scores.scores > (least[scores.labels] if single is None else single))


def _per_label_and_place(
    scores: SessionScores, rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    labels = np.bincount(scores.labels[rows], minlength=len(scores.names))
    return labels, np.bincount(scores.places[rows], minlength=scores.place_count)


NO_SCORES = SessionScores(
    scores=np.empty(0, np.float32),
    labels=np.empty(0, np.int32),
    places=np.empty(0, np.int32),
    indices=np.empty(0, np.int32),
    names=(),
    is_decided=np.empty(0, bool),
)


class Tally:
    """Collects the scores of a session, image by image; for one thread.

    Values that were handed out never change: rows are only written behind them, and a column that must change where
    one reaches is copied first.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._columns = Columns.of(_FIRST_ROWS)
        self._used = self._dead = 0
        self._blocks: dict[int, slice] = {}
        self._numbers: dict[str, int] = {}
        self._given: SessionScores | None = NO_SCORES

    def __contains__(self, place: int) -> bool:
        """Whether the detections of an image are known, though there may be none above FLOOR."""
        return place in self._blocks

    def put(self, place: int, found: Detections, decided: Collection[int] = ()) -> None:
        """Take over the detections of an image in place of what was known of it.

        Args:
            place: The image's place in the list.
            found: Every detection in it.
            decided: `Detection.index` of those that a person decided about.
        """
        rows = self._rows_of(place, found, decided)
        former = self._blocks.get(place)
        if former is not None and self._columns.are_same(former, rows):
            self._mark(former, rows.is_decided)
            return
        self.remove(place)
        self._make_room(len(rows.scores))
        block = slice(self._used, self._used + len(rows.scores))
        self._columns.write(block, rows)
        self._blocks[place] = block
        self._used = block.stop
        self._given = None

    def remove(self, place: int) -> None:
        """Forget an image, if it was known."""
        block = self._blocks.pop(place, None)
        if block is None or block.start == block.stop:
            return
        self._columns.change("scores", block, DEAD)
        self._given = None
        self._dead += block.stop - block.start

    def scores(self) -> SessionScores:
        """Everything that is known now; the same value as long as nothing changes."""
        if self._given is None:
            seen = self._columns.hand_out(self._used)
            names = tuple(self._numbers)
            self._given = SessionScores(seen.scores, seen.labels, seen.places, seen.indices, names, seen.is_decided)
        return self._given

    def _rows_of(self, place: int, found: Detections, decided: Collection[int]) -> Columns:
        above = np.flatnonzero(found.scores > FLOOR)
        label_ids, at = np.unique(found.label_ids[above], return_inverse=True)
        names = [found.label_of(label_id) for label_id in label_ids.tolist()]
        numbers = np.array([self._numbers.setdefault(name, len(self._numbers)) for name in names], np.int32)
        indices = found.indices[above].astype(np.int32)
        return Columns(
            scores=found.scores[above],
            labels=numbers[at] if len(at) else np.empty(0, np.int32),
            places=np.full(len(above), place, np.int32),
            indices=indices,
            is_decided=np.isin(indices, list(decided)) if decided else np.zeros(len(above), bool),
        )

    def _mark(self, block: slice, is_decided: npt.NDArray[np.bool_]) -> None:
        if not np.array_equal(self._columns.is_decided[block], is_decided):
            self._columns.change("is_decided", block, is_decided)
            self._given = None

    def _make_room(self, more: int) -> None:
        """Room for `more` rows behind the present ones, the dead ones dropped where they are the most."""
        room = len(self._columns.scores)
        if self._used + more <= room:
            return
        alive = np.flatnonzero(self._columns.scores[: self._used])
        kept = alive if 2 * self._dead > self._used else np.arange(self._used)
        columns = Columns.of(max(room, 2 * (len(kept) + more)))
        columns.write(slice(0, len(kept)), self._columns.at(kept))
        if len(kept) < self._used:
            firsts = np.searchsorted(kept, [block.start for block in self._blocks.values()]).tolist()
            sizes = [block.stop - block.start for block in self._blocks.values()]
            moved = zip(self._blocks, firsts, sizes, strict=True)
            self._blocks = {place: slice(first, first + size) for place, first, size in moved}
            self._dead = 0
        self._columns, self._used = columns, len(kept)


def _nearest(distances: npt.NDArray[np.float32], most: int) -> npt.NDArray[np.intp]:
    """Rows with finite distances that hold the `most` smallest: ever wider nets cost less than to sort a million."""
    reach = np.float32(_NARROWEST)
    while reach < 1 and np.count_nonzero(distances <= reach) < most:
        reach *= np.float32(2)
    return np.flatnonzero(distances <= reach)
