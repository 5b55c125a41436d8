"""The JSON files of a checkpoint folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.storage.lfs_pointer import has_lfs_pointer

MAX_JSON_BYTES = 64 * 1024 * 1024


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The object in a JSON file, with or without a byte order mark.

    Raises:
        ModelError: the file is missing, too large, cut off, a pointer of Git LFS, or not a JSON object.
    """
    path = folder / name
    check_no_pointer(path, folder.name)
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ValueError(f"more than {MAX_JSON_BYTES} bytes")
        value = json.loads(path.read_text("utf-8-sig"))
        if not isinstance(value, dict):
            raise TypeError("not a JSON object")
    except FileNotFoundError as error:
        raise missing_file(folder, name) from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(
            "checkpoint_json",
            "The model {model} cannot be used: {file} is not a whole JSON file; copy or download it again.",
            model=folder.name,
            file=name,
        ) from error
    return value


def check_no_pointer(path: Path, model: str) -> None:
    """Tell where a file of a model is only a pointer of Git LFS.

    Raises:
        ModelError: it is.
    """
    if has_lfs_pointer(path):
        raise ModelError(
            "lfs_pointer",
            "The model {model} cannot be used: {file} is a Git LFS pointer; run git lfs pull in its folder.",
            model=model,
            file=path.name,
        )


def missing_file(folder: Path, name: str) -> ModelError:
    """What to say of a folder that lacks a file."""
    return ModelError(
        "checkpoint_incomplete",
        "The model {model} cannot be used: {file} is missing; choose the folder that holds it.",
        model=folder.name,
        file=name,
    )
