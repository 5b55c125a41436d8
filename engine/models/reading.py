"""Reads a model, whatever kind of files it is."""

from __future__ import annotations

from pathlib import Path

from engine.models.checkpoint.checkpoint import Checkpoint, read_checkpoint
from engine.models.onnx.model import OnnxModel, read_onnx


def is_onnx(path: Path) -> bool:
    """Whether a path is that of an ONNX file, there or not."""
    return path.suffix.lower() == ".onnx" and not path.is_dir()


def read_model(path: Path) -> Checkpoint | OnnxModel:
    """What is known of a model without loading it.

    Args:
        path: A checkpoint folder, or an ONNX file.

    Raises:
        ModelError: naming what is wrong with it.
    """
    return read_onnx(path) if is_onnx(path) else read_checkpoint(path)
