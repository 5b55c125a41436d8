"""How a model is fed and read: preprocessing, inputs, postprocessing."""

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
"""The only tensor of an image that the runtime preprocesses: uint8 [height, width, 3], RGB as shown."""


class Recipe(Protocol):
    """A model without its weights; needs no runtime."""

    @property
    def family_name(self) -> str:
        """The model family, e.g. `detr`."""
        ...

    @property
    def names(self) -> Mapping[int, str]:
        """Class names by label id."""
        ...

    @property
    def preprocessing(self) -> Preprocessing:
        """How images are preprocessed."""
        ...

    def tensors(self, image: Image.Image) -> Tensors:
        """Return the model's inputs for an RGB image."""
        ...

    def detections(self, output: Tensors, width: int, height: int) -> Detections:
        """Return every detection in the model's output, best score first.

        Args:
            output: The model's output for one image.
            width, height: Size of that image as shown, pixels.
        """
        ...


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model's input of an image.

    Attributes:
        recipe: Of the model.
        tensors: The inputs, or `PIXELS`.
        width, height: Size of the image as shown, pixels.
        milliseconds: The time of the preprocessing.
    """

    recipe: Recipe
    tensors: Tensors
    width: int
    height: int
    milliseconds: float

    @property
    def is_pixels(self) -> bool:
        """Whether the runtime has to preprocess."""
        return PIXELS in self.tensors

    @property
    def input_size(self) -> tuple[int, int]:
        """(width, height) of the model's input; images of a recipe with the same input size fit into one batch."""
        return self.recipe.preprocessing.input_size(self.width, self.height)


def prepare(recipe: Recipe, image: Image.Image, as_pixels: bool = False) -> Prepared:
    """Preprocess an RGB image, or leave that to a runtime that takes pixels."""
    started = time.perf_counter()
    tensors: Tensors = {PIXELS: np.asarray(image)} if as_pixels else recipe.tensors(image)
    return Prepared(recipe, tensors, image.width, image.height, (time.perf_counter() - started) * 1e3)
