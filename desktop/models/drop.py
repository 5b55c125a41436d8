"""Whether something that is dropped is a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.engine import Given

_TENSORS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def is_model(path: Path) -> bool:
    """Whether this is an .onnx file, or a folder with a config.json and tensors beside it."""
    try:
        if path.suffix.lower() == ".onnx":
            return path.is_file()
        return (path / "config.json").is_file() and any((path / name).is_file() for name in _TENSORS)
    except OSError:
        return False


def models_in(given: Sequence[Given]) -> list[Path]:
    """The models, where nothing else was given; images are opened together with whatever lies beside them."""
    paths = [each for each in given if isinstance(each, Path)]
    return paths if len(paths) == len(given) and all(map(is_model, paths)) else []
