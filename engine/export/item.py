"""One image of an export: what every format is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from PIL import Image

from engine.detect.detection import Detections, Filter
from engine.errors import ImageError, SourceError
from engine.export.classes import ClassTable
from engine.export.places import Place
from engine.image.source import Source
from engine.review.decision import Status
from engine.review.merge import Reviewed

UNDECIDED = "undecided"
"""The status of a detection that nothing was decided about; the others are those of `Status`."""

_LEAST_SIDE = 0.01
"""A box with a shorter side, pixels, has no area: formats that round would write none."""


class Choice(StrEnum):
    """Which boxes an export takes."""

    REVIEWED = "reviewed"
    """What was accepted or added."""
    SHOWN = "shown"
    """All that is shown but what was rejected."""


@dataclass(frozen=True, eq=False, slots=True)
class ExportItem:
    """One image of an export.

    Attributes:
        source: Where the image comes from.
        place: What the export calls it.
        shown: The detections to write, best score first, labels and boxes as they are to be written.
        statuses: Of each of `shown`: `undecided` or a `Status`.
        found: Every detection of the image, for the API's answer.
        chosen: Threshold, top_k and labels, for the API's answer.
        pixels: Opens the image, upright; called only by formats that need it.
    """

    source: Source
    place: Place
    shown: Detections
    statuses: tuple[str, ...]
    found: Detections
    chosen: Filter
    pixels: Callable[[], Image.Image] = field(repr=False)

    @classmethod
    def of_reviewed(
        cls,
        source: Source,
        place: Place,
        reviewed: Reviewed,
        choice: Choice,
        *,
        found: Detections,
        chosen: Filter,
        pixels: Callable[[], Image.Image],
    ) -> ExportItem:
        """What is shown of an image, or what of it was accepted or added; the arguments as the attributes.

        Labels that a person gave keep their names; `ClassTable` numbers them for the whole export.
        """
        shown = reviewed.shown
        decided = {index: str(decision.status) for index, decision in reviewed.decisions.items()}
        statuses = [decided.get(index, UNDECIDED) for index in shown.indices.tolist()]
        left_out = {Status.REJECTED, UNDECIDED} if choice is Choice.REVIEWED else {Status.REJECTED}
        at = [place for place, status in enumerate(statuses) if status not in left_out]
        kept = tuple(statuses[place] for place in at)
        return cls(source, place, shown.at(np.array(at, np.intp)), kept, found, chosen, pixels)

    @classmethod
    def of_image(cls, image: Image.Image, found: Detections, chosen: Filter) -> ExportItem:
        """What passes of an image's detections, undecided; it is called "image"."""
        shown = found.keep(chosen)
        source, place = Source("bytes", "image", "image"), Place("image", "image")
        return cls(source, place, shown, (UNDECIDED,) * len(shown), found, chosen, lambda: image)

    @property
    def width(self) -> int:
        """Of the image as shown, pixels."""
        return self.shown.width

    @property
    def height(self) -> int:
        """Of the image as shown, pixels."""
        return self.shown.height

    def image(self) -> Image.Image:
        """The image's pixels, upright.

        Raises:
            SourceError, ImageError: it cannot be opened, or is another size than when it was detected in.
        """
        try:
            image = self.pixels()
        except OSError as error:
            message = "The file {name} cannot be read; check its permissions and its disk."
            raise SourceError("file_not_readable", message, name=self.source.name) from error
        if image.size != (self.width, self.height):
            message = "The image {name} has another size than when it was detected in; open it again."
            raise ImageError("image_changed", message, name=self.source.name)
        return image

    def ready(self, classes: ClassTable) -> ExportItem:
        """The same with label ids of `classes`, boxes inside the image, and without those that have no area.

        Raises:
            EngineError: `export_class_unknown`, a label is not among the classes.
        """
        ids = [classes.id_of(detection.label_id, detection.label) for detection in self.shown]
        boxes = np.clip(self.shown.boxes, 0, np.array([self.width, self.height] * 2, np.float32))
        shown = replace(self.shown, label_ids=np.array(ids, np.int64), boxes=boxes, names=classes.names)
        at = np.flatnonzero(((boxes[:, 2:] - boxes[:, :2]) >= _LEAST_SIDE).all(-1))
        return replace(self, shown=shown.at(at), statuses=tuple(self.statuses[place] for place in at))
