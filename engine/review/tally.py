"""Scores of a whole session: histogram, counts per class and image, and the thresholds certain detections."""

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
"""Scores up to this are not kept: most queries of a DETR model are below it, and useful thresholds above."""

REMOVED = 0.0
"""The score of a removed row, which passes no threshold."""

_FIRST_ROWS = 1024
_FIRST_REACH = 1 / 1024


@dataclass(frozen=True, eq=False)
class SessionScores:
    """Detections of all images of a session by one model, an immutable snapshot.

    The rows of an image are contiguous, best score first. Removed rows remain among the others.

    Attributes:
        scores: float32 [M], above FLOOR; REMOVED for a removed row.
        labels: int32 [M], positions in `names`.
        positions: int32 [M], the image's position in the list.
        indices: int32 [M], `Detection.index`.
        names: Class names.
        is_decided: bool [M], whether there is a decision.
    """

    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int32]
    names: tuple[str, ...]
    is_decided: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of rows that are not removed."""
        return int(np.count_nonzero(self.scores))

    def histogram(self, bins: int = 50, label: str | None = None) -> npt.NDArray[np.int64]:
        """Count the scores in `bins` equal intervals of 0..1, of one class or all: int64 [bins].

        Intervals include their upper bound and exclude the lower one, since scores equal to a threshold do not pass.
        """
        scores = self.scores if label is None else self.scores[self._is_of(label)]
        return np.bincount(np.ceil(scores * np.float32(bins)).astype(np.intp), minlength=bins + 1)[1:]

    def count_above(self, threshold: float, label: str | None = None) -> int:
        """Count the scores greater than `threshold`, of one class or all."""
        above = self.scores > np.float32(threshold)
        if label is not None:
            above &= self._is_of(label)
        return int(np.count_nonzero(above))

    def class_counts(self, chosen: Filter, refinement: Refinement) -> dict[str, int]:
        """Count the detections of each class that pass, by class name; see `shown_per_image`."""
        passing = self._counted(chosen, refinement)
        if chosen.top_k is None:
            return dict(zip(self.names, passing.per_label.tolist(), strict=True))
        rows = _above(self, passing.thresholds)
        starts = np.flatnonzero(np.diff(self.positions[rows], prepend=-1))
        ranks = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
        counts = np.bincount(self.labels[rows[ranks < chosen.top_k]], minlength=len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))

    def shown_per_image(self, count: int, chosen: Filter, refinement: Refinement) -> npt.NDArray[np.int32]:
        """Count the detections of each image that pass, for the positions 0 to `count` - 1: int32 [count].

        Applies labels, thresholds, hidden classes and top_k like `keep_refined`, but not suppression, since boxes are
        not kept here, nor decisions; the number shown for an image may therefore differ.
        """
        counts = np.zeros(count, np.int32)
        known = self._counted(chosen, refinement).per_image[:count]
        counts[: len(known)] = known
        return counts if chosen.top_k is None else np.minimum(counts, np.int32(chosen.top_k))

    def least_sure(
        self, chosen: Filter, refinement: Refinement, reviewed: npt.NDArray[np.bool_], most: int = 1000
    ) -> list[tuple[int, int]]:
        """Return image position and index of the undecided detections closest above their threshold, closest first.

        Ties are ordered by position and index. Suppression is ignored, as in `shown_per_image`.

        Args:
            chosen: Labels and the general threshold; top_k is ignored.
            refinement: Per-class thresholds and hidden classes.
            reviewed: By position; reviewed images, and positions past the end, are skipped.
            most: Largest number of results.
        """
        closed = np.ones(max(len(reviewed), self.image_count), bool)
        closed[: len(reviewed)] = reviewed
        thresholds = self._thresholds(chosen, refinement)
        distances = self.scores - thresholds[self.labels]
        distances[(distances <= 0) | self.is_decided | closed[self.positions]] = np.inf
        rows = _nearest(distances, most)
        order = np.lexsort((self.indices[rows], self.positions[rows], distances[rows]))
        rows = rows[order[:most]]
        return list(zip(self.positions[rows].tolist(), self.indices[rows].tolist(), strict=True))

    def _counted(self, chosen: Filter, refinement: Refinement) -> _Passing:
        """Count the rows that pass labels, thresholds and hidden classes.

        The last result is cached. If a single threshold for all classes has changed, only the rows between its old
        and new value are counted, so that moving a slider does not cost a pass over all rows that are shown.
        """
        thresholds = self._thresholds(chosen, refinement)
        former = self._last[0] if self._last else None
        if former is None or not np.array_equal(former.thresholds, thresholds):
            is_moved = former is not None and _single(former.thresholds) is not None and _single(thresholds) is not None
            now = former.moved(self, thresholds) if former is not None and is_moved else _Passing.of(self, thresholds)
            self._last[:] = [now]
        return self._last[0]

    def _thresholds(self, chosen: Filter, refinement: Refinement) -> npt.NDArray[np.float32]:
        """Return the thresholds by position in `names`; infinite for a class that is not shown."""
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
        """Cache of `_counted`, with at most one entry."""
        return []

    @cached_property
    def image_count(self) -> int:
        """The largest position of an image, plus one."""
        return int(self.positions.max(initial=-1)) + 1


@dataclass(frozen=True, eq=False)
class _Passing:
    """Counts of the rows that pass given thresholds.

    Attributes:
        thresholds: float32, by position in `SessionScores.names`.
        per_label, per_image: Number of rows that pass, int64.
    """

    thresholds: npt.NDArray[np.float32]
    per_label: npt.NDArray[np.int64]
    per_image: npt.NDArray[np.int64]

    @classmethod
    def of(cls, scores: SessionScores, thresholds: npt.NDArray[np.float32]) -> _Passing:
        """Count in all rows."""
        rows = _above(scores, thresholds)
        return cls(thresholds, *_per_label_and_image(scores, rows))

    def moved(self, scores: SessionScores, thresholds: npt.NDArray[np.float32]) -> _Passing:
        """Update the counts to other thresholds; both must be a single finite threshold for all classes."""
        former, now = self.thresholds[0], thresholds[0]
        low, high = min(former, now), max(former, now)
        rows = np.flatnonzero((scores.scores > low) & (scores.scores <= high))
        labels, images = _per_label_and_image(scores, rows)
        sign = 1 if now < former else -1
        return _Passing(thresholds, self.per_label + sign * labels, self.per_image + sign * images)


def _single(thresholds: npt.NDArray[np.float32]) -> np.float32 | None:
    """Return the threshold if it is the same for all classes and finite, else `None`."""
    is_one = len(thresholds) > 0 and bool((thresholds == thresholds[0]).all()) and bool(np.isfinite(thresholds[0]))
    return thresholds[0] if is_one else None


def _above(scores: SessionScores, thresholds: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    single = _single(thresholds)
    return np.flatnonzero(scores.scores > (thresholds[scores.labels] if single is None else single))


def _per_label_and_image(
    scores: SessionScores, rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    labels = np.bincount(scores.labels[rows], minlength=len(scores.names))
    return labels, np.bincount(scores.positions[rows], minlength=scores.image_count)


NO_SCORES = SessionScores(
    scores=np.empty(0, np.float32),
    labels=np.empty(0, np.int32),
    positions=np.empty(0, np.int32),
    indices=np.empty(0, np.int32),
    names=(),
    is_decided=np.empty(0, bool),
)


class Tally:
    """Collects the scores of a session, image by image; for use from one thread.

    Snapshots returned by `scores` never change: new rows are appended after theirs, and a shared column is copied
    before it is changed.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Remove all images."""
        self._columns = Columns.empty(_FIRST_ROWS)
        self._used = self._removed = 0
        self._blocks: dict[int, slice] = {}
        self._numbers: dict[str, int] = {}
        self._snapshot: SessionScores | None = NO_SCORES

    def __contains__(self, position: int) -> bool:
        """Return whether the detections of an image are known, even if none is above FLOOR."""
        return position in self._blocks

    def put(self, position: int, found: Detections, decided: Collection[int] = ()) -> None:
        """Set the detections of an image.

        Args:
            position: The image's position in the list.
            found: Every detection in it.
            decided: `Detection.index` of those with a decision.
        """
        rows = self._rows_of(position, found, decided)
        former = self._blocks.get(position)
        if former is not None and self._columns.are_same(former, rows):
            self._mark(former, rows.is_decided)
            return
        self.remove(position)
        self._make_room(len(rows.scores))
        block = slice(self._used, self._used + len(rows.scores))
        self._columns.write(block, rows)
        self._blocks[position] = block
        self._used = block.stop
        self._snapshot = None

    def remove(self, position: int) -> None:
        """Remove an image, if it is known."""
        block = self._blocks.pop(position, None)
        if block is None or block.start == block.stop:
            return
        self._columns.change("scores", block, REMOVED)
        self._snapshot = None
        self._removed += block.stop - block.start

    def scores(self) -> SessionScores:
        """Return a snapshot; the same one as long as nothing changes."""
        if self._snapshot is None:
            rows = self._columns.share(self._used)
            names = tuple(self._numbers)
            self._snapshot = SessionScores(
                rows.scores, rows.labels, rows.positions, rows.indices, names, rows.is_decided
            )
        return self._snapshot

    def _rows_of(self, position: int, found: Detections, decided: Collection[int]) -> Columns:
        above = np.flatnonzero(found.scores > FLOOR)
        label_ids, at = np.unique(found.label_ids[above], return_inverse=True)
        names = [found.label_of(label_id) for label_id in label_ids.tolist()]
        numbers = np.array([self._numbers.setdefault(name, len(self._numbers)) for name in names], np.int32)
        indices = found.indices[above].astype(np.int32)
        return Columns(
            scores=found.scores[above],
            labels=numbers[at] if len(at) else np.empty(0, np.int32),
            positions=np.full(len(above), position, np.int32),
            indices=indices,
            is_decided=np.isin(indices, list(decided)) if decided else np.zeros(len(above), bool),
        )

    def _mark(self, block: slice, is_decided: npt.NDArray[np.bool_]) -> None:
        if not np.array_equal(self._columns.is_decided[block], is_decided):
            self._columns.change("is_decided", block, is_decided)
            self._snapshot = None

    def _make_room(self, more: int) -> None:
        """Make room for `more` rows; removed rows are dropped if they are the majority."""
        room = len(self._columns.scores)
        if self._used + more <= room:
            return
        alive = np.flatnonzero(self._columns.scores[: self._used])
        kept = alive if 2 * self._removed > self._used else np.arange(self._used)
        columns = Columns.empty(max(room, 2 * (len(kept) + more)))
        columns.write(slice(0, len(kept)), self._columns.at(kept))
        if len(kept) < self._used:
            firsts = np.searchsorted(kept, [block.start for block in self._blocks.values()]).tolist()
            sizes = [block.stop - block.start for block in self._blocks.values()]
            moved = zip(self._blocks, firsts, sizes, strict=True)
            self._blocks = {position: slice(first, first + size) for position, first, size in moved}
            self._removed = 0
        self._columns, self._used = columns, len(kept)


def _nearest(distances: npt.NDArray[np.float32], most: int) -> npt.NDArray[np.intp]:
    """Return rows that include the `most` smallest distances; doubling a limit is faster than sorting a million."""
    reach = np.float32(_FIRST_REACH)
    while reach < 1 and np.count_nonzero(distances <= reach) < most:
        reach *= np.float32(2)
    return np.flatnonzero(distances <= reach)
