"""Tensors and images that are made of their names: what is made twice is the same, so that it need not be stored."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def tensor_of(name: str, shape: tuple[int, ...]) -> Array:
    """The tensor of a checkpoint with this name, float32; values neither die nor grow through 100 layers of them."""
    random = np.random.default_rng(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big"))
    values = random.standard_normal(shape, np.float32)
    if name.endswith("running_var"):
        return np.exp(values / 4).astype(np.float32)
    if name.endswith("weight") and len(shape) == 1:
        return 1 + values / 4
    if len(shape) < 2:
        return values / 10
    return (values / np.prod(shape[1:]) ** 0.5).astype(np.float32)


def pixels(height: int, width: int) -> Array:
    """What a model takes, [1, 3, height, width]."""
    return np.random.default_rng(height * width).standard_normal((1, 3, height, width), np.float32)
