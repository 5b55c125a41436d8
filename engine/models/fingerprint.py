"""Fingerprints of models: equal for copies, different if anything changes that detections depend on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.errors import ModelError
from engine.models.digests import file_digest
from engine.models.onnx.model import files_with

_SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json", "model.safetensors.index.json")


def fingerprint(model: Path) -> str:
    """Return 32 hexadecimal digits over the content of a checkpoint folder, or of a model file and its companions.

    Args:
        model: A folder with config.json and safetensors, or a file such as `model.onnx`.

    Raises:
        ModelError: a file is missing or cannot be read.
    """
    whole = hashlib.blake2b(digest_size=16)
    for path in _files(model):
        name = _name(path, model)
        whole.update(f"{len(name)}:{name}".encode("utf-8", "surrogatepass") + _digest(path, model))
    return whole.hexdigest()


def _name(path: Path, model: Path) -> str:
    """Return the name that is hashed; a model file's own name is left out, as a copy may have another one."""
    if path == model:
        return ""
    return path.name.removeprefix(model.stem) if model.is_file() else path.name


def _files(model: Path) -> list[Path]:
    if model.is_file():
        return [model, *files_with(model)]
    if not model.is_dir():
        raise ModelError("model_folder_missing", "There is no model folder {model}.", model=model.name)
    settings = [model / name for name in _SETTINGS if (model / name).exists()]
    try:
        shards = sorted(path for path in model.iterdir() if path.suffix == ".safetensors")
    except OSError as error:
        raise _unreadable(model, model.name, error) from error
    if not shards:
        raise ModelError(
            "checkpoint_incomplete",
            "The model {model} cannot be used: {file} is missing; choose the folder that holds it.",
            model=model.name,
            file="model.safetensors",
        )
    return settings + shards


def _digest(path: Path, model: Path) -> bytes:
    try:
        return file_digest(path)
    except OSError as error:
        raise _unreadable(model, path.name, error) from error


def _unreadable(model: Path, file: str, error: OSError) -> ModelError:
    return ModelError(
        "model_unreadable",
        "The model {model} cannot be read: {file}: {reason}.",
        model=model.name,
        file=file,
        reason=error.strerror or error,
    )
