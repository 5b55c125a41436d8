"""Binary encoding of an image's detections, and JSON encoding of the model data they share."""

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

_HEAD = struct.Struct("<4sI")
_COUNTS = struct.Struct("<4I")
_MAGIC = b"DET1"
_NARROW, _WIDE = np.dtype("<u2"), np.dtype("<i8")
"""Types of label ids: two bytes if all fit, else eight."""


def pack(found: Detections) -> bytes:
    """Encode scores, label ids, boxes and the image's size, with a checksum.

    Args:
        found: Every detection of an image, with the indices 0, 1, 2 ...
    """
    ids = found.label_ids
    kind = _NARROW if not len(ids) or (ids.min() >= 0 and ids.max() <= np.iinfo(_NARROW).max) else _WIDE
    arrays = (found.scores.astype("<f4"), ids.astype(kind), found.boxes.astype("<f4"))
    body = b"".join(array.tobytes() for array in arrays)
    content = _COUNTS.pack(len(ids), kind.itemsize, found.width, found.height) + body
    return _HEAD.pack(_MAGIC, zlib.crc32(content)) + content


def describe(found: Detections) -> str:
    """Encode the data that all detections of a model share: its name, device, runtime and class names."""
    about = {
        "model": found.model,
        "device": found.device,
        "runtime": found.runtime,
        "names": {str(label_id): name for label_id, name in found.names.items()},
    }
    return json.dumps(about)


def unpack(packed: bytes, about: str) -> Detections | None:
    """Decode the results of `pack` and `describe`, without timing; `None` if either is damaged."""
    try:
        magic, checksum = _HEAD.unpack_from(packed)
        content = packed[_HEAD.size :]
        if magic != _MAGIC or checksum != zlib.crc32(content):
            return None
        count, id_size, width, height = _COUNTS.unpack_from(content)
        body = content[_COUNTS.size :]
        ids_end = count * (4 + id_size)
        kind = _NARROW if id_size == _NARROW.itemsize else _WIDE
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
    """Decode the result of `describe`; cached, so that all images of a model share one mapping of class names."""
    shared = json.loads(about)
    names = MappingProxyType({int(key): str(name) for key, name in shared["names"].items()})
    return {"names": names, **{key: str(shared[key]) for key in ("model", "device", "runtime")}}
