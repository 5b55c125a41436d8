"""The way around a model: how an image becomes what it takes, and how detections are read from what it returns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.detect.detection import Detections
from engine.detect.preprocess import Preprocessing

Tensors = Mapping[str, npt.NDArray[Any]]
"""Arrays by the names of a model's inputs or outputs; the first dimension is the batch, of 1."""

PIXELS = "pixels"
"""Names the one array of an image that the runtime prepares: uint8 [height, width, 3], RGB as shown."""


class Recipe(Protocol):
    """What is known of a model without its tensors; needs neither PyTorch nor any other runtime."""

    @property
    def family_name(self) -> str:
        """What kind of model it is, e.g. `detr`."""
        ...

    @property
    def names(self) -> Mapping[int, str]:
        """Class names by label id."""
        ...

    @property
    def preprocessing(self) -> Preprocessing:
        """How images become its tensors."""
        ...

    def tensors(self, image: Image.Image) -> Tensors:
        """What the model takes for an RGB image."""
        ...

    def detections(self, output: Tensors, width: int, height: int) -> Detections:
        """Every detection that its output tells of, best score first.

        Args:
            output: What the model returned for one image.
            width, height: Size of that image as shown, pixels.
        """
        ...


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image, ready for a model's turn.

    Attributes:
        recipe: Whose preprocessing it was.
        tensors: What the model takes, or `PIXELS`.
        width, height: Size of the image as shown, pixels.
        milliseconds: What the preprocessing took.
    """

    recipe: Recipe
    tensors: Tensors
    width: int
    height: int
    milliseconds: float

    @property
    def is_pixels(self) -> bool:
        """Whether the preprocessing is left to the runtime."""
        return PIXELS in self.tensors

    @property
    def input_size(self) -> tuple[int, int]:
        """(width, height) of what the model takes; images of the same recipe that agree in it fit into one batch."""
        return self.recipe.preprocessing.input_size(self.width, self.height)


def prepare(recipe: Recipe, image: Image.Image, as_pixels: bool = False) -> Prepared:
    """Preprocess an RGB image, or leave that to a runtime which takes pixels."""
    started = time.perf_counter()
    tensors: Tensors = {PIXELS: np.asarray(image)} if as_pixels else recipe.tensors(image)
    return Prepared(recipe, tensors, image.width, image.height, (time.perf_counter() - started) * 1e3)
