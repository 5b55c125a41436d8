"""Small images for lists."""

from __future__ import annotations

from PIL import Image

from engine.image.decode import _open, _upright, decode_image
from engine.image.formats import format_of
from engine.image.limits import LOCAL_LIMITS, Limits


def make_thumbnail(data: bytes, side: int, limits: Limits = LOCAL_LIMITS) -> Image.Image:
    """The image in `data` as `decode_image` reads it, scaled down to fit a square of `side` pixels; never enlarged.

    A JPEG is decoded at a fraction of its size, which is several times faster.

    Raises:
        ImageError: What `decode_image` raises.
    """
    return scale_down(_reduced(data, side, limits) or decode_image(data, limits), side)


def scale_down(image: Image.Image, side: int) -> Image.Image:
    """A copy of an RGB image that fits a square of `side` pixels; never enlarged."""
    scale = min(1.0, side / max(image.size))
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _reduced(data: bytes, side: int, limits: Limits) -> Image.Image | None:
    """A JPEG decoded at 1/2, 1/4 or 1/8 of its size; `None` where only a full decode can tell."""
    if len(data) > limits.max_bytes or format_of(data) != "jpeg":
        return None
    try:
        opened = _open("jpeg", data, limits)
        opened.draft(None, (side, side))
        return _upright(opened, "jpeg")
    except Exception:
        return None
