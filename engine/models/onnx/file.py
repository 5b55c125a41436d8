"""Reading of an ONNX file's structure without its tensors; see decision 16."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from engine.errors import ModelError
from engine.models.checkpoint.json_files import check_no_pointer
from engine.models.onnx.protobuf import ProtobufFile
from engine.models.onnx.walk import OnnxFile, Walk


def read_onnx_file(path: Path) -> OnnxFile:
    """Read the structure of an ONNX file; seeks past its tensors.

    Raises:
        ModelError: it is missing, not ONNX, truncated, a Git LFS pointer, or refers to tensor files that are missing.
    """
    try:
        stat = path.stat()
        structure = _read(path, stat.st_size, stat.st_mtime_ns)
    except FileNotFoundError as error:
        raise ModelError("model_file_missing", "There is no model file {model}.", model=path.name) from error
    except OSError as error:
        raise ModelError(
            "model_unreadable",
            "The model {model} cannot be read: {file}: {reason}.",
            model=path.name,
            file=path.name,
            reason=error.strerror or error,
        ) from error
    except (ValueError, RecursionError) as error:
        check_no_pointer(path, path.name)
        raise ModelError(
            "onnx_damaged",
            "The model {model} cannot be used: it is not a whole ONNX file; export, copy or download it again.",
            model=path.name,
        ) from error
    _check_companions(path, structure.companions)
    return structure


@lru_cache(maxsize=16)
def _read(path: Path, _size: int, _changed_ns: int) -> OnnxFile:
    with path.open("rb") as file:
        return Walk(ProtobufFile(file)).read()


def _check_companions(path: Path, companions: Mapping[str, int]) -> None:
    for name, bytes_needed in companions.items():
        place = Path(name)
        if not place.name or place.is_absolute() or ".." in place.parts or "\\" in name or ":" in name or "\0" in name:
            raise ModelError(
                "onnx_outside",
                "The model {model} cannot be used: it wants tensors from a file outside its folder.",
                model=path.name,
            )
        beside = path.parent / place
        check_no_pointer(beside, path.name)
        if not beside.is_file() or beside.stat().st_size < bytes_needed:
            raise ModelError(
                "onnx_companion",
                "The model {model} cannot be used: {file}, which holds its tensors, is missing or truncated; "
                "copy or download it into the same folder.",
                model=path.name,
                file=place.name,
            )
