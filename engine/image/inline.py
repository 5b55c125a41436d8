"""Decoding of base64 text and `data:` URIs, in pieces so that other threads are not blocked."""

from __future__ import annotations

import binascii
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from urllib.parse import unquote_to_bytes

from engine.errors import SourceError

PIECE = 1 << 18
"""Characters decoded at a time while holding the GIL, well under a millisecond."""

_PAUSE = 0.0001
"""Seconds of sleep between two pieces, which releases the GIL; otherwise other threads wait for its 5 ms interval."""

_STANDARD = bytes.maketrans(b"-_", b"+/")
_SPACE = b" \t\n\r\v\f"


def base64_bytes(pieces: Iterable[bytes]) -> bytes:
    """Decode base64 text, standard or URL-safe, with or without padding; white space is ignored.

    Args:
        pieces: The text, split at any position.

    Raises:
        SourceError: `bad_base64`.
    """
    found, rest, is_over = bytearray(), b"", False
    try:
        for piece in pieces:
            plain = rest + piece.translate(_STANDARD, _SPACE)
            chars = plain.rstrip(b"=")
            if b"=" in chars or (is_over and chars):
                raise ValueError("padding inside")
            is_over = is_over or len(chars) < len(plain)
            whole = len(chars) if is_over else len(chars) // 4 * 4
            found += _decoded(chars[:whole])
            rest = chars[whole:]
            if len(piece) > PIECE // 2:
                time.sleep(_PAUSE)
        found += _decoded(rest)
    except ValueError as error:
        raise SourceError("bad_base64", "The base64 text is not complete or not base64; copy it again.") from error
    return bytes(found)


def data_uri_bytes(pieces: Iterable[bytes]) -> bytes:
    """Decode a `data:` URI, base64 or percent-encoded, with any parameters and the scheme in any case.

    Args:
        pieces: The URI, split at any position after its comma.

    Raises:
        SourceError: `bad_data_uri` (no comma or another scheme) or `bad_base64`.
    """
    others = iter(pieces)
    head, comma, first = next(others, b"").partition(b",")
    if not comma or head[:5].lower() != b"data:":
        raise SourceError("bad_data_uri", "The data: URI is not complete; copy it again from data: to its end.")
    plain = _unquoted(chain([first], others))
    parameters = [part.strip().lower() for part in head[5:].split(b";")]
    return base64_bytes(plain) if b"base64" in parameters[1:] else b"".join(plain)


def _decoded(chars: bytes) -> bytes:
    return binascii.a2b_base64(chars + b"=" * (-len(chars) % 4), strict_mode=True)


def _unquoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decode percent-encoding in pieces; an escape may be split between two of them."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        cut = text.rfind(b"%", max(len(text) - 2, 0))
        whole = len(text) if cut < 0 else cut
        yield unquote_to_bytes(text[:whole])
        rest = text[whole:]
    yield unquote_to_bytes(rest)
