"""Class names and settings in files beside an ONNX file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.models.checkpoint.json_files import read_json
from engine.models.onnx.class_names import are_nameless, as_lines, names_in, parse_names, read_names
from engine.paths import data_dir
from engine.storage.atomic import WriteError, cannot_write, write_atomic

_METADATA = ("names", "id2label", "class_names", "classes", "labels", "label_names", "categories")
_SETTINGS = ("config.json", "preprocessor_config.json")


def files_beside(model: Path) -> list[Path]:
    """Return the existing files that decide names, scores or preprocessing; the first of each kind is used."""
    wanted = [*_kept_files(model), *_own_lists(model), *_shared_lists(model)]
    wanted += [folder / name for name in _SETTINGS for folder in _folders(model)]
    return [path for path in wanted if path.is_file()]


def settings_beside(model: Path, name: str) -> Mapping[str, Any]:
    """Read a JSON file beside the model; empty if there is none.

    Raises:
        ModelError: the file is invalid.
    """
    folder = next((folder for folder in _folders(model) if (folder / name).is_file()), None)
    return read_json(folder, name) if folder else {}


def names_of(model: Path, metadata: Mapping[str, str]) -> dict[int, str] | None:
    """Return class names by label id: the user's, else those in the file, else those in the files beside it.

    Args:
        model: The ONNX file.
        metadata: The file's metadata.

    Raises:
        ModelError: a file that should hold class names does not.
    """
    sources = (
        _kept_files(model),
        metadata,
        _own_lists(model),
        settings_beside(model, "config.json"),
        _shared_lists(model),
    )
    for source in sources:
        names = _in_table(source) if isinstance(source, Mapping) else _in_files(model, source)
        if names and not are_nameless(names):
            return names
    return None


def keep_names(model: Path, names: Sequence[str]) -> Path:
    """Save class names, in the order of the label ids, for a model that has none; return the file.

    The file is `NAME.labels.txt` beside the model, or in the data folder if the model's folder is read-only.

    Raises:
        ModelError: there are no names, or the model is not an ONNX file.
        WriteError: neither folder can be written.
    """
    if model.is_dir():
        raise ModelError(
            "names_in_config", "The class names of {model} are those of its config.json.", model=model.name
        )
    try:
        content = as_lines(names).encode()
    except ValueError as error:
        raise ModelError("names_unusable", "Class names are one a line, at most 200 characters each.") from error
    beside, elsewhere = _kept_files(model)
    try:
        write_atomic(beside, content)
    except WriteError:
        try:
            elsewhere.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(elsewhere, error) from error
        write_atomic(elsewhere, content)
        return elsewhere
    return beside


def _folders(model: Path) -> list[Path]:
    """Return the folders searched for settings; on the hub ONNX files usually are in a subfolder `onnx`."""
    return [model.parent, model.parent.parent] if model.parent.name == "onnx" else [model.parent]


def _kept_files(model: Path) -> list[Path]:
    place = hashlib.blake2b(os.fsencode(model.absolute()), digest_size=16).hexdigest()
    return [model.with_suffix(".labels.txt"), data_dir() / "names" / f"{place}.txt"]


def _own_lists(model: Path) -> list[Path]:
    return [model.with_suffix(".names"), model.with_suffix(".txt")]


def _shared_lists(model: Path) -> list[Path]:
    return [model.with_name("labels.txt"), model.with_name("classes.txt")]


def _in_files(model: Path, paths: Sequence[Path]) -> dict[int, str] | None:
    path = next((path for path in paths if path.is_file()), None)
    try:
        return None if path is None else read_names(path)
    except (OSError, ValueError) as error:
        raise ModelError(
            "names_unreadable",
            "The model {model} cannot be used: {file} beside it holds no class names, one a line; mend or remove it.",
            model=model.name,
            file=getattr(path, "name", ""),
        ) from error


def _in_table(table: Mapping[str, Any]) -> dict[int, str] | None:
    """Find class names in metadata or config.json; values that are not class names are skipped."""
    for key in _METADATA:
        value = table.get(key)
        try:
            return parse_names(value) if isinstance(value, str) else names_in(value)
        except ValueError:
            continue
    return None
