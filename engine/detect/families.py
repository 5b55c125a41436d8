"""Pre- and postprocessing of the model families."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Size = dict[str, int]

DETR_SIZE: Size = {"shortest_edge": 800, "longest_edge": 1333}
SQUARE_640: Size = {"height": 640, "width": 640}
SQUARE_560: Size = {"height": 560, "width": 560}


@dataclass(frozen=True, slots=True)
class Family:
    """Pre- and postprocessing of a family.

    Attributes:
        scores: `softmax`: one class a query, the last logit means "no object"; `sigmoid`: each pair of query and class
            is a candidate.
        candidates: How many of those pairs are kept, best first; `None` keeps as many as there are queries.
        size: The input size where the checkpoint has no `preprocessor_config.json`.
        normalise: Whether mean and standard deviation are applied where the checkpoint does not say.
        side_multiple: Input sides are rounded down to a multiple of this, which the models require.
    """

    scores: Literal["softmax", "sigmoid"]
    candidates: int | None = None
    size: Size = field(default_factory=lambda: DETR_SIZE)
    normalise: bool = True
    side_multiple: int = 1


_DETR = Family("softmax")
_TOP_100 = Family("sigmoid", candidates=100)
_RT_DETR = Family("sigmoid", size=SQUARE_640, normalise=False, side_multiple=32)

FAMILIES: dict[str, Family] = {
    "detr": _DETR,
    "table-transformer": _DETR,
    "yolos": Family("softmax", side_multiple=16),
    "conditional_detr": _TOP_100,
    "deformable_detr": _TOP_100,
    "dab-detr": _TOP_100,
    "lw_detr": Family("sigmoid", candidates=100, size=SQUARE_640, side_multiple=64),
    "rt_detr": _RT_DETR,
    "rt_detr_v2": _RT_DETR,
    "d_fine": _RT_DETR,
    "rf_detr": Family("sigmoid", size=SQUARE_560, side_multiple=56),
}
"""By `model_type` of the checkpoint's config.json. Source: `post_process_object_detection` of each family's image
processor in transformers 5; the sizes of LW-DETR and RF-DETR are those that they were published with."""

WRONG_IN_TRANSFORMERS = frozenset({"deimv2"})
"""Families for which transformers 5.23 computes wrong boxes."""
