"""The scores of a whole session: where to cut, how many each class and image has, what is least sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FLOOR = 0.05
"""Scores up to this are not kept: nobody cuts there, and most queries of a DETR lie there."""


@dataclass(frozen=True, eq=False)
class SessionScores:
    """Undecided and decided detections of all images that were detected in, by one model.

    Attributes:
        scores: float32 [M], above FLOOR.
        labels: int32 [M], places in `names`.
        places: int32 [M], the image's place in the list.
        indices: int32 [M], `Detection.index`.
        names: Class names.
    """

    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int32]
    names: tuple[str, ...]


NO_SCORES = SessionScores(
    np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int32), ()
)
