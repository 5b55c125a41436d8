"""Preprocessing where the model is: on a card in integers, so that every pixel is the one that Pillow makes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.detect.preprocess import Preprocessing
from engine.runtimes.resampling import PRECISION_BITS, is_known, taps

SIDES_KEPT = 32
"""Of so many pairs of sides, before and after, the weights stay on the device."""

_HALF = 1 << (PRECISION_BITS - 1)
_ROWS, _COLUMNS = 1, 2
_PROBE_SIZE = {"height": 20, "width": 30}
_PROBE_SIDES = ((40, 25), (25, 90), (90, 21), (12, 9), (30, 50))


class CardPreprocessing:
    """What `Preprocessing` does, with PyTorch on a device; the same to the bit with the resizing of Pillow 13."""

    def __init__(self, preprocessing: Preprocessing, device: Any) -> None:
        """Prepare for images.

        Args:
            preprocessing: What to do.
            device: A `torch.device` or its name; there the images are and the tensors will be.
        """
        import torch

        self._torch = torch
        self._preprocessing = preprocessing
        self._device = torch.device(device)
        self._factors = upload(preprocessing.factors[:, None, None], self._device)
        self._offsets = upload(preprocessing.offsets[:, None, None], self._device)
        self._taps = lru_cache(SIDES_KEPT)(partial(_uploaded_taps, self._device, int(preprocessing.resample)))

    def __call__(self, pixels: Any) -> tuple[Any, Any | None]:
        """The tensor of an RGB image; nothing in here waits for the device.

        Args:
            pixels: uint8 [height, width, 3] on the device, in any memory layout.

        Returns:
            float32 [1, 3, height, width], and the int64 mask [1, height, width] (1 = image, 0 = padding) where there is
            padding, else `None`; both on the device.

        Raises:
            ValueError: the padding's sides are smaller than those of the resized image.
        """
        torch = self._torch
        wide, high = self._preprocessing.input_size(pixels.shape[1], pixels.shape[0])
        sides = self._preprocessing.padded_sides(wide, high)
        planes = self._resized(pixels.permute(2, 0, 1), wide, high)
        values = planes.to(torch.float32, memory_format=torch.contiguous_format)
        values.mul_(self._factors).sub_(self._offsets)
        if sides is None:
            return values[None], None
        padded = torch.zeros((1, 3, *sides), dtype=torch.float32, device=self._device)
        padded[0, :, :high, :wide] = values
        mask = torch.zeros((1, *sides), dtype=torch.int64, device=self._device)
        mask[:, :high, :wide] = 1
        return padded, mask

    def _resized(self, planes: Any, wide: int, high: int) -> Any:
        """uint8 [3, high, wide]; the sides in the order of Pillow 13, since each rounds."""
        lost_rows, lost_columns = planes.shape[_ROWS] - high, planes.shape[_COLUMNS] - wide
        passes = [(_COLUMNS, wide), (_ROWS, high)]
        if lost_rows > max(0, 2 * lost_columns):
            passes.reverse()
        for dimension, side in passes:
            if planes.shape[dimension] != side:
                planes = self._resampled(planes, dimension, side)
        return planes

    def _resampled(self, planes: Any, dimension: int, side: int) -> Any:
        torch = self._torch
        indices, weights = self._taps(planes.shape[dimension], side)
        shape = list(planes.shape)
        shape[dimension] = side
        sums = torch.full(shape, _HALF, dtype=torch.int32, device=self._device)
        for index, weight in zip(indices, weights, strict=True):
            taken = planes.index_select(dimension, index)
            sums.addcmul_(taken, weight[:, None] if dimension == _ROWS else weight)
        return sums.bitwise_right_shift_(PRECISION_BITS).clamp_(0, 255).to(torch.uint8)


def upload(array: npt.NDArray[Any], device: Any) -> Any:
    """The array as a tensor on a device; one that is read-only or not contiguous, too.

    To a CUDA card it travels from pinned memory, and nobody waits for it; elsewhere the copy must be whole on return.
    """
    import torch

    device = torch.device(device)
    is_pinned = device.type == "cuda"
    staged = torch.empty(array.shape, dtype=getattr(torch, array.dtype.name), pin_memory=is_pinned)
    staged.numpy()[...] = array
    return staged.to(device, non_blocking=is_pinned)


def equals_pillow(preprocessing: Preprocessing, device: Any) -> bool:
    """Whether `CardPreprocessing` is `preprocessing` to the bit on this device and with the Pillow that is installed.

    Small images of noise are resized both ways. A Pillow before 13 shrinks tall images in another order.
    """
    if not is_known(preprocessing.resample):
        return False
    small = replace(preprocessing, size=_PROBE_SIZE, pad_to=None, side_multiple=1)
    on_device = CardPreprocessing(small, device)
    noise = np.random.default_rng(0)
    for width, height in _PROBE_SIDES:
        pixels = noise.integers(0, 256, (height, width, 3), np.uint8)
        expected, _ = small(Image.fromarray(pixels))
        values, _ = on_device(upload(pixels, device))
        if not np.array_equal(values.cpu().numpy(), expected):
            return False
    return True


def _uploaded_taps(device: Any, resample: int, source: int, target: int) -> tuple[Any, Any]:
    found = taps(source, target, resample)
    return upload(found.indices, device), upload(found.weights, device)
