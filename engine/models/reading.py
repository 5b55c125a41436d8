"""Reading of a model's description from a checkpoint folder or an ONNX file."""

from __future__ import annotations

from pathlib import Path

from engine.models.checkpoint.checkpoint import Checkpoint, read_checkpoint
from engine.models.onnx.model import OnnxModel, read_onnx


def is_onnx(path: Path) -> bool:
    """Return whether a path names an ONNX file; it need not exist."""
    return path.suffix.lower() == ".onnx" and not path.is_dir()


def read_model(path: Path) -> Checkpoint | OnnxModel:
    """Read and check a model's description without loading its tensors.

    Args:
        path: A checkpoint folder, or an ONNX file.

    Raises:
        ModelError: naming what is wrong with it.
    """
    return read_onnx(path) if is_onnx(path) else read_checkpoint(path)
