"""TIFF files of any samples, made by hand: Pillow writes few kinds."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

SHORT, LONG, ASCII = 3, 4, 2
_CODES = {SHORT: "H", LONG: "I"}


def tiff(
    samples: Any,
    photometric: int = 1,
    *,
    bits: int = 0,
    body: bytes | None = None,
    compression: int = 1,
    order: str = "<",
    planar: bool = False,
    tags: dict[int, tuple[int, Any]] | None = None,
) -> bytes:
    """A TIFF of samples [height, width] or [height, width, bands].

    Args:
        samples: Their type tells bits and format.
        photometric: 0 white is zero, 1 black is zero, 2 RGB.
        bits: Bits of a sample where `body` holds the packed ones.
        body: The data, where it is not just the samples.
        compression: 1 none, 8 Deflate.
        order: `<` or `>`.
        planar: Whether the bands lie one after the other, each a strip.
        tags: More tags: type and values.
    """
    array = np.asarray(samples)
    array = array[:, :, None] if array.ndim == 2 else array
    height, width, bands = array.shape
    kind = {"u": 1, "i": 2, "f": 3, "c": 6}[array.dtype.kind]
    ordered = array.astype(array.dtype.newbyteorder(order))
    strips = [np.ascontiguousarray(ordered[:, :, band]).tobytes() for band in range(bands)]
    strips = [body] if body is not None else strips if planar else [ordered.tobytes()]
    strips = [zlib.compress(strip) if compression == 8 else strip for strip in strips]
    found: dict[int, tuple[int, Any]] = {
        256: (LONG, (width,)),
        257: (LONG, (height,)),
        258: (SHORT, (bits or array.itemsize * 8,) * bands),
        259: (SHORT, (compression,)),
        262: (SHORT, (photometric,)),
        273: (LONG, (0,) * len(strips)),
        277: (SHORT, (bands,)),
        278: (LONG, (height,)),
        279: (LONG, tuple(map(len, strips))),
        284: (SHORT, (2 if planar else 1,)),
        339: (SHORT, (kind,) * bands),
    } | (tags or {})
    far_at = 8 + 2 + 12 * len(found) + 4
    far_bytes = sum(len(each) for each in (_encoded(*value, order) for value in found.values()) if len(each) > 4)
    starts = np.cumsum([far_at + far_bytes, *map(len, strips)])[:-1]
    found[273] = (LONG, tuple(map(int, starts)))
    entries, far = b"", b""
    for tag, (code, values) in sorted(found.items()):
        encoded = _encoded(code, values, order)
        if len(encoded) > 4:
            far, encoded = far + encoded, struct.pack(f"{order}I", far_at + len(far))
        entries += struct.pack(f"{order}HHI", tag, code, len(values)) + encoded.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(f"{order}IH", 8, len(found))
    return head + entries + bytes(4) + far + b"".join(strips)


def _encoded(code: int, values: Any, order: str) -> bytes:
    return bytes(values) if code == ASCII else struct.pack(f"{order}{len(values)}{_CODES[code]}", *values)
