"""Which runtime executes a model."""

from __future__ import annotations

from engine.detect.runtimes.base import Runtime
from engine.detect.runtimes.torch_runtime import TorchRuntime
from engine.models.checkpoint import Checkpoint


def open_runtime(checkpoint: Checkpoint, device: str) -> Runtime:
    """A checkpoint in memory, ready to answer.

    Args:
        checkpoint: A checkpoint that was read and checked.
        device: `auto` (CUDA, then MPS, then the CPU), `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        ModelError: the device is not there, or the files do not make a model.
    """
    return TorchRuntime(checkpoint, device)
