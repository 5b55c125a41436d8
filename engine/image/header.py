"""Sizes from file headers, read before a decoder allocates memory for them."""

from __future__ import annotations

import struct

Size = tuple[int, int]
"""Width and height, pixels."""

_GIF_BLOCKS = 20_000


def claimed_size(name: str, data: bytes) -> Size | None:
    """Return the largest size that opening `data` would allocate; `None` for formats that allocate nothing then.

    Args:
        name: The format, as returned by `format_of`.
        data: The file.

    Raises:
        ValueError, IndexError, struct.error: The header is truncated or invalid.
    """
    reader = {"gif": _gif_size, "ico": _ico_size, "cur": _ico_size, "webp": _webp_size}.get(name)
    return reader(data) if reader else None


def _gif_size(data: bytes) -> Size:
    """Return the logical screen size, extended to hold the first frame."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    for _ in range(_GIF_BLOCKS):
        kind = data[at]
        if kind == 0x2C:
            left, top, wide, high = struct.unpack_from("<4H", data, at + 1)
            return max(width, left + wide), max(height, top + high)
        at += 1
        if kind == 0x21:
            at = _after_sub_blocks(data, at + 1)
    raise ValueError("no image among the blocks")


def _after_sub_blocks(data: bytes, at: int) -> int:
    for _ in range(_GIF_BLOCKS):
        length = data[at]
        at += 1 + length
        if not length:
            return at
    raise ValueError("too many sub-blocks")


def _ico_size(data: bytes) -> Size:
    """Return the largest image of an icon file by the images' own headers; the directory's sizes may be wrong."""
    (count,) = struct.unpack_from("<H", data, 4)
    sizes = []
    for entry in range(count):
        (offset,) = struct.unpack_from("<I", data, 6 + 16 * entry + 12)
        sizes.append(_icon_image_size(data, offset))
    return max(sizes, key=lambda size: size[0] * size[1])


def _icon_image_size(data: bytes, offset: int) -> Size:
    if data.startswith(b"\x89PNG\r\n\x1a\n", offset):
        width, height = struct.unpack_from(">II", data, offset + 16)
    elif struct.unpack_from("<I", data, offset)[0] == 12:
        width, height = struct.unpack_from("<HH", data, offset + 4)
    else:
        width, height = struct.unpack_from("<ii", data, offset + 4)
    return abs(width), abs(height)


def _webp_size(data: bytes) -> Size:
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no image chunk")
