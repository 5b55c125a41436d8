"""The arrays behind `SessionScores`, with copy-on-write for columns that are shared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

Value = TypeVar("Value", bound=np.generic)


@dataclass(slots=True)
class Columns:
    """One array per column, all of the same length; see `SessionScores` for their meaning.

    Attributes:
        scores: float32 [R].
        labels, positions, indices: int32 [R].
        is_decided: bool [R].
        shared: Names of the mutable columns that a snapshot refers to, copied before the next change.
    """

    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int32]
    is_decided: npt.NDArray[np.bool_]
    shared: set[str] = field(default_factory=set)

    @classmethod
    def empty(cls, rows: int) -> Columns:
        """Allocate uninitialised columns."""
        return cls(
            scores=np.empty(rows, np.float32),
            labels=np.empty(rows, np.int32),
            positions=np.empty(rows, np.int32),
            indices=np.empty(rows, np.int32),
            is_decided=np.empty(rows, bool),
        )

    def at(self, rows: npt.NDArray[np.intp]) -> Columns:
        """Copy these rows."""
        return Columns(
            self.scores[rows], self.labels[rows], self.positions[rows], self.indices[rows], self.is_decided[rows]
        )

    def write(self, block: slice, rows: Columns) -> None:
        """Copy `rows` into `block`."""
        self.scores[block] = rows.scores
        self.labels[block] = rows.labels
        self.positions[block] = rows.positions
        self.indices[block] = rows.indices
        self.is_decided[block] = rows.is_decided

    def are_same(self, block: slice, rows: Columns) -> bool:
        """Return whether `block` holds these detections, regardless of `is_decided`."""
        pairs = (self.scores, rows.scores), (self.labels, rows.labels), (self.indices, rows.indices)
        return all(np.array_equal(column[block], others) for column, others in pairs)

    def change(self, column: Literal["scores", "is_decided"], block: slice, value: object) -> None:
        """Write a value into a block of a column; a shared column is copied first."""
        if column in self.shared:
            setattr(self, column, getattr(self, column).copy())
            self.shared.discard(column)
        getattr(self, column)[block] = value

    def share(self, used: int) -> Columns:
        """Return read-only views of the first `used` rows."""
        self.shared = {"scores", "is_decided"}
        return Columns(
            scores=_locked(self.scores[:used]),
            labels=_locked(self.labels[:used]),
            positions=_locked(self.positions[:used]),
            indices=_locked(self.indices[:used]),
            is_decided=_locked(self.is_decided[:used]),
        )


def _locked(view: npt.NDArray[Value]) -> npt.NDArray[Value]:
    view.flags.writeable = False
    return view
