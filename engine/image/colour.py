"""Conversion of any colour mode of a file to sRGB over a white background."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFile

_WIDE = ("I", "F")
_ROWS = 256


def to_rgb(opened: ImageFile.ImageFile, name: str) -> Image.Image:
    """Convert a loaded image to mode RGB, independent of its file.

    Args:
        opened: A loaded image of any mode.
        name: Its format, as returned by `format_of`.
    """
    if opened.mode.startswith(_WIDE):
        sixteen_bit = opened.mode.startswith("I;16") or name == "ppm"
        values = np.asarray(opened)
        return _grey(values, *((0.0, 65535.0) if sixteen_bit else _range(values))).convert("RGB")
    if opened.mode == "CMYK":
        # Pillow inverts every CMYK JPEG, as Adobe stores it. Files without the Adobe marker are not stored inverted.
        is_not_adobe = name == "jpeg" and "adobe" not in opened.info
        return _from_cmyk(ImageChops.invert(opened) if is_not_adobe else opened, opened.info.get("icc_profile"))
    if opened.has_transparency_data:
        image = _on_white(opened)
    else:
        image = _without_file(opened) if opened.mode == "RGB" else opened.convert("RGB")
    if opened.mode in {"RGB", "RGBA", "P"}:
        image = _by_profile(image, opened.info.get("icc_profile"), "RGB ") or image
    return image


def _without_file(opened: ImageFile.ImageFile) -> Image.Image:
    """Share the pixels in a new image object; a copy would take a third of the decoding time."""
    return opened._new(opened.im)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    rgba = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    return _by_profile(image, profile, "CMYK") or image.convert("RGB")


def _by_profile(image: Image.Image, profile: bytes | None, space: str) -> Image.Image | None:
    """Convert to sRGB by an ICC profile; `None` without a profile, or where it is sRGB already or unusable."""
    if not profile:
        return None
    from PIL import ImageCms  # imported here because most images have no profile

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != space or "sRGB" in ImageCms.getProfileDescription(source):
            return None
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:
        return None


def _grey(values: npt.NDArray[np.generic], low: float, high: float) -> Image.Image:
    out = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _ROWS):
        rows = np.nan_to_num(values[top : top + _ROWS].astype(np.float64), nan=low, posinf=high, neginf=low)
        out[top : top + _ROWS] = np.clip((rows - low) * (255.0 / (high - low)) + 0.5, 0, 255)
    return Image.fromarray(out)


def _range(values: npt.NDArray[np.generic]) -> tuple[float, float]:
    """Return the values shown as black and white in 32-bit grey: the smallest usual range that holds all values.

    File headers do not state the range.
    """
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    usual = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    for white in usual:
        if low >= 0.0 and high <= white:
            return 0.0, white
    return low, max(high, low + 1.0)
