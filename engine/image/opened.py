"""Images on their way to a model: the bytes that were read, and the pixels that were decoded."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from engine.detect.recipe import Prepared
from engine.errors import ImageError
from engine.image.decode import Limits, decode_with_warnings
from engine.image.fetch_policy import FetchPolicy
from engine.image.source import Source, SourceLike, parse_source, read_source
from engine.settings import Settings

_HASH_BYTES = 16


@dataclass(frozen=True, eq=False)
class ImageFile:
    """The bytes of an image, not decoded.

    Attributes:
        source: Where they came from.
        content: The bytes.
        content_hash: BLAKE2b of them, 16 bytes, hexadecimal.
    """

    source: Source
    content: bytes
    content_hash: str


@dataclass(frozen=True, eq=False)
class OpenedImage:
    """A decoded image.

    Attributes:
        source: Where it came from.
        pixels: RGB, as shown (EXIF rotation applied).
        decode_ms: Milliseconds from bytes to pixels.
        content_hash: That of its file; empty for an image that is neither looked up in the cache nor kept there.
        prepared: The tensors of it that `Engine.prepare` computed for a model.
        warnings: What is wrong with its file though it could be opened; never raised.
    """

    source: Source
    pixels: Image.Image
    decode_ms: float
    content_hash: str = ""
    prepared: Prepared | None = None
    warnings: tuple[ImageError, ...] = ()


def read_image(source: SourceLike, settings: Settings, cancelled: Callable[[], bool] = bool) -> ImageFile:
    """Read the bytes of an image; URLs may lead to private addresses, the user typed them.

    Raises:
        SourceError: they are not to be had.
        CancelledError: `cancelled` returned true.
    """
    parsed = parse_source(source)
    policy = FetchPolicy(
        allow_private=True, use_proxy=True, max_bytes=settings.max_fetch_bytes, seconds=settings.fetch_seconds
    )
    content = read_source(parsed, Limits(settings.max_file_bytes, settings.max_pixels), policy, cancelled)
    return ImageFile(parsed, content, hashlib.blake2b(content, digest_size=_HASH_BYTES).hexdigest())


def decode_file(file: ImageFile, limits: Limits) -> OpenedImage:
    """Decode an image.

    Raises:
        ImageError: the bytes are no whole image within the limits.
    """
    started = time.perf_counter()
    decoded = decode_with_warnings(file.content, limits)
    took_ms = (time.perf_counter() - started) * 1e3
    return OpenedImage(file.source, decoded.pixels, took_ms, file.content_hash, warnings=decoded.warnings)
