"""What every runtime offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.detect.preprocess import Mask, Tensor


class Runtime(Protocol):
    """One model on one device, ready to answer.

    Attributes:
        name: What executes the model, e.g. `torch`.
        device: Where, e.g. `cpu` or `cuda:0 (NVIDIA H200)`.
    """

    name: str
    device: str

    def run(self, pixels: Tensor, mask: Mask | None) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Run the model once.

        Args:
            pixels: float32 [1, 3, height, width].
            mask: int64 [1, height, width], 1 where the image is, or `None` where all is image.

        Returns:
            logits [queries, classes] and boxes [queries, 4] (centre x, centre y, width, height; 0..1).

        Raises:
            DetectionError: out of memory, or the device failed.
        """
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...
