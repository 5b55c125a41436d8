"""How large an image may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from engine.errors import EngineError

MEBIBYTE = 1 << 20

ErrorT = TypeVar("ErrorT", bound=EngineError)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an image may be; the defaults are for images that strangers send.

    Attributes:
        max_bytes: Size of the file.
        max_pixels: Width times height.
    """

    max_bytes: int = 32 * MEBIBYTE
    max_pixels: int = 128_000_000


DEFAULT_LIMITS = Limits()
LOCAL_LIMITS = Limits(max_bytes=512 * MEBIBYTE)
"""For files that the user opens."""


def too_many_bytes(kind: type[ErrorT], limit: int) -> ErrorT:
    """The error for an image of more than `limit` bytes."""
    message = "The image is larger than {limit} MiB; use a smaller one."
    return kind("too_many_bytes", message, limit=f"{limit / MEBIBYTE:g}")
