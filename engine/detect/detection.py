"""The detections of an image, sorted by score, and filters on them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from engine.detect.same_name import same_name
from engine.detect.tiling import Tiling
from engine.errors import EngineError

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in pixels of the image as shown (after EXIF rotation)."""

PIXELS_PER_TOKEN = 784


def token_count(width: int, height: int) -> int:
    """Return the tokens of an image of `width` x `height` pixels as shown: `max(1, floor(w * h / 784 + 0.5))`."""
    return max(1, math.floor(width * height / PIXELS_PER_TOKEN + 0.5))


@dataclass(frozen=True, slots=True)
class Detection:
    """One detection.

    Attributes:
        index: Its position among all detections of the image, best score first.
        score: Confidence, 0..1.
        label_id: The class's number in the checkpoint.
        label: The class's name.
        box: xyxy, pixels of the image as shown.
    """

    index: int
    score: float
    label_id: int
    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class Filter:
    """Which detections to keep; applied in the order of the fields.

    Attributes:
        labels: Class names to keep; `None` keeps all.
        threshold: Keep scores greater than this, 0..1.
        top_k: Keep at most this many, best first; `None` keeps all.
    """

    labels: frozenset[str] | None = None
    threshold: float = 0.5
    top_k: int | None = None

    def __post_init__(self) -> None:
        if self.labels is not None:
            object.__setattr__(self, "labels", frozenset(map(same_name, self.labels)))
        if not 0.0 <= self.threshold <= 1.0:
            raise EngineError("threshold_out_of_range", "The threshold must be a number from 0 to 1.")
        if self.top_k is not None and self.top_k < 1:
            raise EngineError("top_k_out_of_range", "top_k must be 1 or more.")


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of each stage, wall clock."""

    decode: float = 0.0
    preprocess: float = 0.0
    model: float = 0.0
    postprocess: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the stages, ms."""
        return self.decode + self.preprocess + self.model + self.postprocess


@dataclass(frozen=True, eq=False)
class Detections:
    """Every detection of one image by one model, best score first.

    Attributes:
        scores: float32 [N], descending, 0..1.
        label_ids: int64 [N].
        boxes: float32 [N, 4], xyxy, pixels of the image as shown, inside it.
        indices: int64 [N], each detection's position among all that the model returned.
        names: Class names by label id, of the whole model.
        width, height: Size of the image as shown, pixels.
        model: The model's name in the catalog.
        device: Where it ran, e.g. `cpu`.
        runtime: What executed it, e.g. `torch`.
        timing: Milliseconds of each stage.
        tiling: How large images were cut into tiles; `None` where they were not.
    """

    scores: npt.NDArray[np.float32]
    label_ids: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]
    names: Mapping[int, str]
    width: int
    height: int
    model: str = ""
    device: str = "cpu"
    runtime: str = "torch"
    timing: Timing = field(default_factory=Timing)
    indices: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    tiling: Tiling | None = None

    @classmethod
    def from_arrays(
        cls,
        scores: npt.NDArray[np.float32],
        label_ids: npt.NDArray[np.int64],
        boxes: npt.NDArray[np.float32],
        names: Mapping[int, str],
        width: int,
        height: int,
    ) -> Detections:
        """Sort by score (ties keep their order) and clip boxes to the image.

        Args:
            scores: [N].
            label_ids: [N].
            boxes: [N, 4], xyxy, pixels.
            names: Class names by label id.
            width, height: Size of the image as shown, pixels.
        """
        order = np.argsort(-scores, kind="stable")
        limit = np.array([width, height, width, height], np.float32)
        clipped = np.clip(boxes.reshape(-1, 4)[order], 0, limit).astype(np.float32)
        return cls(
            scores=scores[order].astype(np.float32),
            label_ids=label_ids[order].astype(np.int64),
            boxes=clipped,
            names=MappingProxyType(dict(names)),
            width=width,
            height=height,
            indices=np.arange(len(order), dtype=np.int64),
        )

    @property
    def tokens(self) -> int:
        """Tokens of the image."""
        return token_count(self.width, self.height)

    def keep(self, chosen: Filter) -> Detections:
        """Return those that pass a filter, in the same order."""
        mask = self.scores > np.float32(chosen.threshold)
        if chosen.labels is not None:
            wanted = [label_id for label_id, name in self.names.items() if same_name(name) in chosen.labels]
            mask &= np.isin(self.label_ids, wanted)
        return self.at(np.flatnonzero(mask)[: chosen.top_k])

    def at(self, places: npt.NDArray[np.intp]) -> Detections:
        """Return those at these positions, in this order; they keep their indices."""
        return replace(
            self,
            scores=self.scores[places],
            label_ids=self.label_ids[places],
            boxes=self.boxes[places],
            indices=self.indices[places],
        )

    def above(self, threshold: float) -> Detections:
        """Return those with a score greater than `threshold`."""
        return self.keep(Filter(threshold=threshold))

    def label_of(self, label_id: int) -> str:
        """Return the name of a class, or its number where it has none."""
        return self.names.get(label_id, str(label_id))

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, at: int) -> Detection:
        label_id = int(self.label_ids[at])
        xmin, ymin, xmax, ymax = (float(edge) for edge in self.boxes[at])
        box = (xmin, ymin, xmax, ymax)
        return Detection(int(self.indices[at]), float(self.scores[at]), label_id, self.label_of(label_id), box)

    def __iter__(self) -> Iterator[Detection]:
        columns = self.indices.tolist(), self.scores.tolist(), self.label_ids.tolist(), self.boxes.tolist()
        for index, score, label_id, (xmin, ymin, xmax, ymax) in zip(*columns, strict=True):
            yield Detection(index, score, label_id, self.label_of(label_id), (xmin, ymin, xmax, ymax))


def nothing_found(width: int, height: int) -> Detections:
    """Return no detections for an image of this size, pixels."""
    none = np.empty(0, np.float32), np.empty(0, np.int64), np.empty((0, 4), np.float32)
    return Detections.from_arrays(*none, {}, width, height)
