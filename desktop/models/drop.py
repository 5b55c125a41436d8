"""Recognising models among dropped files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QMimeData

from engine.image.source import SourceLike

_TENSORS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def is_model(path: Path) -> bool:
    """Return whether this is an .onnx file, or a folder with a config.json and tensors."""
    try:
        if path.suffix.lower() == ".onnx":
            return path.is_file()
        return (path / "config.json").is_file() and any((path / name).is_file() for name in _TENSORS)
    except OSError:
        return False


def models_in(given: Sequence[SourceLike]) -> list[Path]:
    """Return the models, or nothing where anything else was given too."""
    paths = [each for each in given if isinstance(each, Path)]
    return paths if len(paths) == len(given) and all(map(is_model, paths)) else []


def dropped_models(mime: QMimeData) -> list[Path]:
    """Return the models that are dragged, or nothing where anything else is dragged too."""
    return models_in([Path(url.toLocalFile()) if url.isLocalFile() else url.toString() for url in mime.urls()])
