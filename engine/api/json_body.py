"""JSON bodies, parsed without their long strings, because parsing holds the GIL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from engine.api.errors import RequestError
from engine.image.inline import PIECE

_LONG = 1024
_MOST_STRUCTURE = 512 * 1024
"""Most bytes of a body without its long strings; parses in a few milliseconds."""

_MOST_QUOTES = 65_536
_LONGEST_ESCAPE = len(r"\u0041")


@dataclass(frozen=True, eq=False)
class JsonBody:
    """A JSON object.

    Attributes:
        fields: Its fields; a long string is replaced by a short token, see `pieces`.
    """

    fields: dict[str, Any]
    _long: Mapping[str, memoryview]

    def pieces(self, text: str) -> Iterator[bytes]:
        """Yield a string of `fields` as UTF-8, a long one in pieces.

        Raises:
            RequestError: `bad_json`, an escape in it is wrong.
        """
        raw = self._long.get(text)
        if raw is None:
            yield text.encode()
            return
        at = 0
        while at < len(raw):
            end = _cut(raw, min(at + PIECE, len(raw)))
            yield str(_parsed(b'"' + raw[at:end] + b'"')).encode()
            at = end


def read_json(body: bytes | bytearray) -> JsonBody:
    """Parse a body; bounded in time, depth and memory, and strict about lone surrogates, unlike `json`.

    Raises:
        RequestError: `bad_json`, `too_much_json`.
    """
    if len(body) > _MOST_STRUCTURE and not body[:_LONG].lstrip().startswith(b"{"):
        raise _bad_json()
    short, long = _set_aside(body)
    given = _parsed(short)
    if not isinstance(given, dict):
        raise RequestError("bad_json", "The body is not a JSON object; send one as /docs shows it.")
    return JsonBody(given, long)


def _parsed(text: bytes) -> Any:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        raise _bad_json() from None


def _set_aside(body: bytes | bytearray) -> tuple[bytes, dict[str, memoryview]]:
    """Return the body with a token in place of each long string, and the raw strings by token."""
    view, sign = memoryview(body), secrets.token_hex(8)
    kept: list[bytes | memoryview] = []
    long: dict[str, memoryview] = {}
    at = behind = size = 0
    while (start := body.find(b'"', at)) >= 0:
        end = _end_of_text(body, start + 1)
        if end - start > _LONG:
            name = f"{sign}-{len(long)}"
            kept += view[behind:start], f'"{name}"'.encode()
            size += start - behind
            long[name] = view[start + 1 : end]
            behind = end + 1
        at = end + 1
        _check_size(size + at - behind)
    _check_size(size + len(body) - behind)
    return b"".join([*kept, view[behind:]]), long


def _end_of_text(body: bytes | bytearray, start: int) -> int:
    """Return the offset of the quote that ends the string which begins at `start`."""
    at = start
    for _ in range(_MOST_QUOTES):
        end = body.find(b'"', at)
        if end < 0:
            raise _bad_json()
        if _backslashes(body, start, end) % 2 == 0:
            return end
        at = end + 1
    raise _too_much()


def _backslashes(body: bytes | bytearray, start: int, end: int) -> int:
    """Count the backslashes right before `end`."""
    at, step = end, 32
    while at > start:
        piece = body[max(start, at - step) : at]
        left = len(piece.rstrip(b"\\"))
        at -= len(piece) - left
        if left:
            break
        step *= 8
    return end - at


def _cut(raw: memoryview, end: int) -> int:
    """Return `end`, moved before an escape that it would cut."""
    if end == len(raw):
        return end
    low = end - _LONGEST_ESCAPE + 1
    backslash = bytes(raw[low:end]).rfind(b"\\")
    return end if backslash < 0 else low + backslash


def _check_size(size: int) -> None:
    if size > _MOST_STRUCTURE:
        raise _too_much()


def _bad_json() -> RequestError:
    return RequestError("bad_json", "The body is not JSON; send an object as /docs shows it.")


def _too_much() -> RequestError:
    message = "The body has more than {limit} KiB beside its images; send fewer messages."
    return RequestError("too_much_json", message, limit=_MOST_STRUCTURE // 1024)
