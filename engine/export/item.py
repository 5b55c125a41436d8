"""One image of an export, as every format receives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from PIL import Image

from engine.detect.detection import Detections, Filter
from engine.errors import ImageError, SourceError
from engine.export.classes import ExportClasses
from engine.export.names import ExportName
from engine.image.source import Source
from engine.review.decision import Status
from engine.review.merge import Reviewed

UNDECIDED = "undecided"
"""The status of a detection without a decision; the others are those of `Status`."""

_LEAST_SIDE = 0.01
"""Pixels; a box with a shorter side counts as having no area, since formats that round would write none."""


class Choice(StrEnum):
    """Which boxes are exported."""

    REVIEWED = "reviewed"
    """Accepted and added boxes."""
    SHOWN = "shown"
    """All boxes shown, except rejected ones."""


@dataclass(frozen=True, eq=False, slots=True)
class ExportItem:
    """One image of an export.

    Attributes:
        source: Where the image comes from.
        name: Its name in the export.
        shown: The detections to write, best score first, with final labels and boxes.
        statuses: `undecided` or a `Status` for each of `shown`.
        found: Every detection of the image, for the API's answer.
        chosen: Threshold, top_k and labels, for the API's answer.
        pixels: Opens the upright image; called only by formats that need it.
    """

    source: Source
    name: ExportName
    shown: Detections
    statuses: tuple[str, ...]
    found: Detections
    chosen: Filter
    pixels: Callable[[], Image.Image] = field(repr=False)

    @classmethod
    def of_reviewed(
        cls,
        source: Source,
        name: ExportName,
        reviewed: Reviewed,
        choice: Choice,
        *,
        found: Detections,
        chosen: Filter,
        pixels: Callable[[], Image.Image],
    ) -> ExportItem:
        """Make an item of a reviewed image, with the boxes that `choice` selects; see the attributes.

        Labels that a person gave keep their names; `ExportClasses` numbers them for the whole export.
        """
        shown = reviewed.shown
        decided = {index: str(decision.status) for index, decision in reviewed.decisions.items()}
        statuses = [decided.get(index, UNDECIDED) for index in shown.indices.tolist()]
        left_out = {Status.REJECTED, UNDECIDED} if choice is Choice.REVIEWED else {Status.REJECTED}
        rows = [row for row, status in enumerate(statuses) if status not in left_out]
        kept = tuple(statuses[row] for row in rows)
        return cls(source, name, shown.at(np.array(rows, np.intp)), kept, found, chosen, pixels)

    @classmethod
    def of_image(cls, image: Image.Image, found: Detections, chosen: Filter) -> ExportItem:
        """Make an item of the chosen detections of an image, undecided and named "image"."""
        shown = found.keep(chosen)
        source, name = Source("bytes", "image", "image"), ExportName("image", "image")
        return cls(source, name, shown, (UNDECIDED,) * len(shown), found, chosen, lambda: image)

    @property
    def width(self) -> int:
        """Width of the image as shown, pixels."""
        return self.shown.width

    @property
    def height(self) -> int:
        """Height of the image as shown, pixels."""
        return self.shown.height

    def image(self) -> Image.Image:
        """Open the upright image.

        Raises:
            SourceError, ImageError: It cannot be opened, or its size has changed since detection.
        """
        try:
            image = self.pixels()
        except OSError as error:
            message = "The file {name} cannot be read; check its permissions and its disk."
            raise SourceError("file_not_readable", message, name=self.source.name) from error
        if image.size != (self.width, self.height):
            message = "The size of the image {name} has changed since detection; open it again."
            raise ImageError("image_changed", message, name=self.source.name)
        return image

    def ready(self, classes: ExportClasses) -> ExportItem:
        """Return a copy with label ids of `classes` and boxes clipped to the image; boxes without area are dropped.

        Raises:
            EngineError: `export_class_unknown`: a label is not among the classes.
        """
        ids = [classes.id_of(detection.label_id, detection.label) for detection in self.shown]
        boxes = np.clip(self.shown.boxes, 0, np.array([self.width, self.height] * 2, np.float32))
        shown = replace(self.shown, label_ids=np.array(ids, np.int64), boxes=boxes, names=classes.names)
        rows = np.flatnonzero(((boxes[:, 2:] - boxes[:, :2]) >= _LEAST_SIDE).all(-1))
        return replace(self, shown=shown.at(rows), statuses=tuple(self.statuses[row] for row in rows))
