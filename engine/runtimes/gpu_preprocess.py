"""Preprocessing on the device of the model, with PyTorch's antialiased resize."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.detect.preprocess import Preprocessing

_MODES = {Image.Resampling.BILINEAR: "bilinear", Image.Resampling.BICUBIC: "bicubic"}
_ROWS, _COLUMNS = 2, 3
_PROBE_SIZE = {"height": 20, "width": 30}
_PROBE_SIDES = ((40, 25), (25, 90), (90, 21), (12, 9), (30, 50))


class GpuPreprocessing:
    """Does what `Preprocessing` does; pixels differ from Pillow's by at most two of 255 levels, and rarely."""

    def __init__(self, preprocessing: Preprocessing, device: Any) -> None:
        """Prepare for images.

        Args:
            preprocessing: Its filter is bilinear or bicubic.
            device: A `torch.device` or its name, of the images and of the tensors.
        """
        import torch

        self._torch = torch
        self._preprocessing = preprocessing
        self._device = torch.device(device)
        self._factors = upload(preprocessing.factors[:, None, None], self._device)
        self._offsets = upload(preprocessing.offsets[:, None, None], self._device)

    def __call__(self, pixels: Any) -> tuple[Any, Any | None]:
        """Return the tensor of an RGB image; does not wait for the device.

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
        planes = pixels.permute(2, 0, 1)[None].to(torch.float32, memory_format=torch.contiguous_format)
        values = self._resized(planes, wide, high).contiguous().mul_(self._factors).sub_(self._offsets)
        if sides is None:
            return values, None
        padded = torch.zeros((1, 3, *sides), dtype=torch.float32, device=self._device)
        padded[:, :, :high, :wide] = values
        mask = torch.zeros((1, *sides), dtype=torch.int64, device=self._device)
        mask[:, :high, :wide] = 1
        return padded, mask

    def _resized(self, planes: Any, wide: int, high: int) -> Any:
        """Resize float32 [1, 3, rows, columns]: each side is rounded to whole levels, in the order of Pillow 13."""
        lost_rows, lost_columns = planes.shape[_ROWS] - high, planes.shape[_COLUMNS] - wide
        passes = [(_COLUMNS, wide), (_ROWS, high)]
        if lost_rows > max(0, 2 * lost_columns):
            passes.reverse()
        for dimension, side in passes:
            if planes.shape[dimension] != side:
                planes = self._with_columns(planes, side) if dimension == _COLUMNS else self._with_rows(planes, side)
        return planes

    def _with_rows(self, planes: Any, side: int) -> Any:
        """Resize along the rows, turned on its side: PyTorch is wrong for images of one column."""
        return self._with_columns(planes.transpose(_ROWS, _COLUMNS).contiguous(), side).transpose(_ROWS, _COLUMNS)

    def _with_columns(self, planes: Any, side: int) -> Any:
        size, mode = (planes.shape[_ROWS], side), _MODES[self._preprocessing.resample]
        resized = self._torch.nn.functional.interpolate(planes, size, mode=mode, antialias=True)
        return resized.add_(0.5).floor_().clamp_(0, 255)


def upload(array: npt.NDArray[Any], device: Any) -> Any:
    """Copy an array to a device as a tensor; it may be read-only or not contiguous.

    To CUDA it is copied from pinned memory without waiting; elsewhere the copy is complete on return.
    """
    import torch

    device = torch.device(device)
    is_pinned = device.type == "cuda"
    staged = torch.empty(array.shape, dtype=getattr(torch, array.dtype.name), pin_memory=is_pinned)
    staged.numpy()[...] = array
    return staged.to(device, non_blocking=is_pinned)


def agrees_with_pillow(preprocessing: Preprocessing, device: Any) -> bool:
    """Return whether `GpuPreprocessing` resizes small images of noise as the installed Pillow does, to two levels."""
    if preprocessing.resample not in _MODES:
        return False
    small = replace(preprocessing, size=_PROBE_SIZE, pad_to=None, side_multiple=1)
    on_device = GpuPreprocessing(small, device)
    tolerance = 2.01 * np.abs(small.factors)[:, None, None]
    noise = np.random.default_rng(0)
    for width, height in _PROBE_SIDES:
        pixels = noise.integers(0, 256, (height, width, 3), np.uint8)
        expected, _ = small(Image.fromarray(pixels))
        values, _ = on_device(upload(pixels, device))
        if (np.abs(values.cpu().numpy() - expected) > tolerance).any():
            return False
    return True
