"""What every runtime offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from engine.detect.recipe import Tensors


class Runtime(Protocol):
    """One model on one device, ready to answer.

    Attributes:
        name: What executes the model, e.g. `torch`.
        device: Where, e.g. `cpu` or `cuda:0 (NVIDIA H200)`.
        answers: Names what its answers depend on beside the model: `f32`, `bf16`, or `int8-` and what it was calibrated
            with.
    """

    name: str
    device: str
    answers: str

    @property
    def takes_pixels(self) -> bool:
        """Whether it resizes and normalises by itself, and is best given `PIXELS`."""
        ...

    @property
    def at_once(self) -> int:
        """How many images it answers quicker together than one after the other; 1 where that makes no difference."""
        ...

    def run(self, tensors: Tensors) -> Tensors:
        """Run the model once.

        Args:
            tensors: What its recipe made of an image, e.g. `pixel_values` float32 [1, 3, height, width].

        Returns:
            Its outputs, e.g. `logits` [1, queries, classes] and `pred_boxes` [1, queries, 4].

        Raises:
            DetectionError: out of memory, or the device failed.
        """
        ...

    def run_together(self, images: Iterable[Tensors]) -> list[Tensors]:
        """Run the model on several images, whose inputs are of the same size; the outputs are those of `run`.

        Args:
            images: What the recipe made of each; taken as they can be worked on.

        Raises:
            DetectionError: as `run`, for any of them.
        """
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...
