"""Reading of safetensors files without mapping them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

_KINDS = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def read_tensors(path: Path) -> dict[str, Any]:
    """Return every tensor by its name, on the CPU, floats as float32.

    The library's own reader maps the file: a training that writes over it would crash this process, and reading 160 MB
    page by page takes ten times as long.

    Raises:
        OSError, ValueError, KeyError: the file cannot be read, was changed since it was checked, or holds a kind of
            number that no model here has.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entries = json.loads(file.read(length))
        entries.pop("__metadata__", None)
        return {name: _read(file, 8 + length, entry) for name, entry in entries.items()}


def _read(file: io.BufferedReader, start: int, entry: dict[str, Any]) -> Any:
    import torch

    if entry["dtype"] not in _KINDS:
        raise ValueError(f"its tensors are of the kind {entry['dtype']}")
    kind = getattr(torch, _KINDS[entry["dtype"]])
    tensor = torch.empty(entry["shape"], dtype=kind)
    begin, end = entry["data_offsets"]
    if end - begin != tensor.nbytes:
        raise ValueError("the file was changed while it was read")
    if tensor.nbytes:
        file.seek(start + begin)
        into = memoryview(tensor.reshape(-1).view(torch.uint8).numpy())
        if file.readinto(into) != tensor.nbytes:
            raise ValueError("the file was changed while it was read")
    return tensor.to(torch.float32) if kind.is_floating_point else tensor
