"""Which runtime executes a model."""

from __future__ import annotations

from engine.detect.runtime import Runtime
from engine.models.checkpoint.checkpoint import Checkpoint
from engine.models.onnx.model import OnnxModel
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.runtimes.torch_runtime import TorchRuntime


def open_runtime(model: Checkpoint | OnnxModel, device: str) -> Runtime:
    """A model in memory, ready to answer.

    Args:
        model: What was read and checked; an ONNX file is executed on the CPU.
        device: `auto` (CUDA, then MPS, then the CPU), `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        ModelError: the device is not there, or the files do not make a model.
    """
    if isinstance(model, OnnxModel):
        return OpenVinoRuntime(model.path)
    return TorchRuntime(model, device)
