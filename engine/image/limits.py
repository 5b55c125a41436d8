"""Size limits of image files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from engine.errors import EngineError

MEBIBYTE = 1 << 20

ErrorT = TypeVar("ErrorT", bound=EngineError)


@dataclass(frozen=True, slots=True)
class Limits:
    """Size limits of an image file; the defaults suit images from untrusted clients.

    Attributes:
        max_bytes: Largest file.
        max_pixels: Largest width times height.
    """

    max_bytes: int = 32 * MEBIBYTE
    max_pixels: int = 128_000_000


DEFAULT_LIMITS = Limits()
LOCAL_LIMITS = Limits(max_bytes=512 * MEBIBYTE)
"""Limits for files that the user opens."""


def too_many_bytes(kind: type[ErrorT], limit: int) -> ErrorT:
    """Make the error for an image of more than `limit` bytes."""
    message = "The image is larger than {limit} MiB; use a smaller one."
    return kind("too_many_bytes", message, limit=f"{limit / MEBIBYTE:g}")
