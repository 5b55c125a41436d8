"""The protocol of runtimes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from engine.detect.recipe import Tensors


class Runtime(Protocol):
    """One model on one device.

    Attributes:
        name: What executes the model, e.g. `torch`.
        device: Where, e.g. `cpu` or `cuda:0 (NVIDIA H200)`.
        variant: What its output depends on beside the model: `f32`, `f16`, `bf16`, or `int8-` and the key of the
            calibration.
    """

    name: str
    device: str
    variant: str

    @property
    def takes_pixels(self) -> bool:
        """Whether it resizes and normalises by itself, and is best given `PIXELS`."""
        ...

    @property
    def batch_size(self) -> int:
        """How many images it runs faster in a batch than one after the other; 1 where a batch gains nothing."""
        ...

    def run(self, tensors: Tensors) -> Tensors:
        """Run the model once.

        Args:
            tensors: The input that the recipe computed of an image, e.g. `pixel_values` float32 [1, 3, height, width].

        Returns:
            Its outputs, e.g. `logits` [1, queries, classes] and `pred_boxes` [1, queries, 4].

        Raises:
            DetectionError: out of memory, or the device failed.
        """
        ...

    def run_batch(self, images: Iterable[Tensors]) -> list[Tensors]:
        """Run the model on several images with inputs of the same size; the outputs are those of `run`.

        Args:
            images: The input of each, consumed as the runtime is ready for it.

        Raises:
            DetectionError: as `run`, for any of them.
        """
        ...

    def close(self) -> None:
        """Free the memory."""
        ...
