"""A PNG reduced to the chunks that its pixels depend on, so that text, profiles and their checksums cost nothing."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

_SIGNATURE_BYTES = 8
_USED = {b"tRNS", b"eXIf"}
_MOST_CHUNKS = 1_000_000
_MOST_PROFILE_BYTES = 16 << 20
_LONGEST_NAME = 79


@dataclass(frozen=True, slots=True)
class PlainPng:
    """A PNG without ancillary chunks other than transparency and EXIF.

    Attributes:
        data: The file.
        bits: Bits of a sample.
        profile: Its ICC profile; empty where it has none that can be used.
    """

    data: bytes
    bits: int
    profile: bytes


def plain_png(data: bytes) -> PlainPng:
    """Leave out the ancillary chunks that are not used or whose checksum is wrong, as libpng does.

    Whatever is wrong with the other chunks is left for the decoder to find.

    Raises:
        ValueError: There are too many chunks.
    """
    view, at, start, pieces, profile = memoryview(data), _SIGNATURE_BYTES, 0, [], b""
    for _ in range(_MOST_CHUNKS):
        if at + 12 > len(data):
            break
        length = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 12 + length
        is_ancillary = bool(kind[0] & 0x20)
        if end > len(data) and not is_ancillary:
            break
        if is_ancillary:
            checksum = zlib.crc32(view[at + 4 : end - 4]).to_bytes(4, "big")
            is_sound = end <= len(data) and checksum == data[end - 4 : end]
            if kind == b"iCCP" and is_sound:
                profile = _profile(data[at + 8 : end - 4])
            if kind not in _USED or not is_sound:
                pieces.append(view[start:at])
                start = min(end, len(data))
        at = end
        if kind == b"IEND":
            break
    else:
        raise ValueError("too many chunks")
    plain = b"".join([*pieces, view[start:]]) if pieces else data
    return PlainPng(plain, data[24] if len(data) > 24 else 8, profile)


def _profile(body: bytes) -> bytes:
    name_end = body.find(b"\0", 0, _LONGEST_NAME + 1)
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(body[name_end + 2 :], _MOST_PROFILE_BYTES)
    except zlib.error:
        return b""
    return profile if inflater.eof else b""
