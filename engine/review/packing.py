"""Detections of an image as a few compact bytes, and what their model has in common as one line of JSON."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from engine.detect.detection import Detections

_SEAL = struct.Struct("<4sI")
_COUNTS = struct.Struct("<4I")
_MAGIC = b"DET1"
_NARROW, _WIDE = np.dtype("<u2"), np.dtype("<i8")
"""Label ids take two bytes where they fit, eight where one does not."""


def pack(found: Detections) -> bytes:
    """The arrays and the image's size; `found` is every detection of an image, so that its indices are 0, 1, 2 ..."""
    ids = found.label_ids
    kind = _NARROW if not len(ids) or (ids.min() >= 0 and ids.max() <= np.iinfo(_NARROW).max) else _WIDE
    arrays = (found.scores.astype("<f4"), ids.astype(kind), found.boxes.astype("<f4"))
    body = b"".join(array.tobytes() for array in arrays)
    counted = _COUNTS.pack(len(ids), kind.itemsize, found.width, found.height) + body
    return _SEAL.pack(_MAGIC, zlib.crc32(counted)) + counted


def describe(found: Detections) -> str:
    """What all detections of a model share: its name, its class names, what ran it."""
    about = {
        "model": found.model,
        "device": found.device,
        "runtime": found.runtime,
        "names": {str(label_id): name for label_id, name in found.names.items()},
    }
    return json.dumps(about)


def unpack(packed: bytes, about: str) -> Detections | None:
    """What `pack` and `describe` were given, its timing aside; `None` where either is damaged."""
    try:
        magic, checksum = _SEAL.unpack_from(packed)
        counted = packed[_SEAL.size :]
        if magic != _MAGIC or checksum != zlib.crc32(counted):
            return None
        count, width_of_id, width, height = _COUNTS.unpack_from(counted)
        body = counted[_COUNTS.size :]
        ids_end = count * (4 + width_of_id)
        kind = _NARROW if width_of_id == _NARROW.itemsize else _WIDE
        return Detections(
            scores=np.frombuffer(body[: count * 4], "<f4").astype(np.float32),
            label_ids=np.frombuffer(body[count * 4 : ids_end], kind).astype(np.int64),
            boxes=np.frombuffer(body[ids_end:], "<f4").astype(np.float32).reshape(count, 4),
            width=width,
            height=height,
            indices=np.arange(count, dtype=np.int64),
            **_shared(about),
        )
    except (struct.error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


@lru_cache(maxsize=16)
def _shared(about: str) -> Mapping[str, Any]:
    """The fields that `describe` wrote; read once, so that all images of a model share one table of names."""
    shared = json.loads(about)
    names = MappingProxyType({int(key): str(name) for key, name in shared["names"].items()})
    return {"names": names, **{key: str(shared[key]) for key in ("model", "device", "runtime")}}
