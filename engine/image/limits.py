"""Size limits of image files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from engine.errors import EngineError, ImageError

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


def too_many_pixels(limit: int) -> ImageError:
    """Return the error for an image of more than `limit` pixels."""
    message = "The image has more than {limit} megapixels; scale it down first."
    return ImageError("too_many_pixels", message, limit=f"{limit / 1e6:.4g}")
