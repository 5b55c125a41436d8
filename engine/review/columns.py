"""The growing columns behind the scores of a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

Value = TypeVar("Value", bound=np.generic)


@dataclass(slots=True)
class Columns:
    """One array a column, all of the same length.

    Attributes:
        scores: float32 [R].
        labels, places, indices: int32 [R].
        is_decided: bool [R].
        handed_out: Names of the columns that change but must not where someone else reads them.
    """

    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int32]
    is_decided: npt.NDArray[np.bool_]
    handed_out: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, rows: int) -> Columns:
        """Room for this many rows; what is in them is not defined."""
        return cls(
            scores=np.empty(rows, np.float32),
            labels=np.empty(rows, np.int32),
            places=np.empty(rows, np.int32),
            indices=np.empty(rows, np.int32),
            is_decided=np.empty(rows, bool),
        )

    def at(self, rows: npt.NDArray[np.intp]) -> Columns:
        """A copy of these rows."""
        return Columns(
            self.scores[rows], self.labels[rows], self.places[rows], self.indices[rows], self.is_decided[rows]
        )

    def write(self, block: slice, rows: Columns) -> None:
        """Put `rows` where `block` is."""
        self.scores[block] = rows.scores
        self.labels[block] = rows.labels
        self.places[block] = rows.places
        self.indices[block] = rows.indices
        self.is_decided[block] = rows.is_decided

    def are_same(self, block: slice, rows: Columns) -> bool:
        """Whether the detections in `block` are these, whatever was decided about them."""
        mine = (self.scores, rows.scores), (self.labels, rows.labels), (self.indices, rows.indices)
        return all(np.array_equal(column[block], others) for column, others in mine)

    def change(self, column: Literal["scores", "is_decided"], block: slice, value: object) -> None:
        """Write into a column, a copy of it where what was handed out reaches."""
        if column in self.handed_out:
            setattr(self, column, getattr(self, column).copy())
            self.handed_out.discard(column)
        getattr(self, column)[block] = value

    def hand_out(self, used: int) -> Columns:
        """The first `used` rows themselves, through arrays that cannot be written to."""
        self.handed_out = {"scores", "is_decided"}
        return Columns(
            scores=_locked(self.scores[:used]),
            labels=_locked(self.labels[:used]),
            places=_locked(self.places[:used]),
            indices=_locked(self.indices[:used]),
            is_decided=_locked(self.is_decided[:used]),
        )


def _locked(view: npt.NDArray[Value]) -> npt.NDArray[Value]:
    view.flags.writeable = False
    return view
