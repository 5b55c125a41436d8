"""Conversion of any colour mode of a file to sRGB over a white background."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFile

_WIDE = ("I", "F")
_BITMAPS = {"bmp", "ico", "cur"}
_ROWS = 256

Array = npt.NDArray[np.generic]


def to_rgb(opened: ImageFile.ImageFile, name: str) -> Image.Image:
    """Convert a loaded image to mode RGB, independent of its file.

    A bitmap whose alpha is 0 everywhere is opaque: programs that know no alpha leave it so.

    Args:
        opened: A loaded image of any mode.
        name: Its format, as returned by `format_of`.
    """
    if opened.mode.startswith(_WIDE):
        return _from_wide(opened, name)
    if opened.mode == "CMYK":
        # Pillow inverts every CMYK JPEG, as Adobe stores it. Files without the Adobe marker are not stored inverted.
        is_not_adobe = name == "jpeg" and "adobe" not in opened.info
        return _from_cmyk(ImageChops.invert(opened) if is_not_adobe else opened, opened.info.get("icc_profile"))
    is_opaque = name in _BITMAPS and opened.mode == "RGBA" and opened.getchannel("A").getextrema() == (0, 0)
    if opened.has_transparency_data and not is_opaque:
        image = _on_white(opened)
    else:
        image = _without_file(opened) if opened.mode == "RGB" else opened.convert("RGB")
    if opened.mode in {"RGB", "RGBA", "P"}:
        image = _by_profile(image, opened.info.get("icc_profile"), "RGB ") or image
    return image


def samples_to_rgb(samples: Array, bits: int, is_inverted: bool, alpha: int | None) -> Image.Image:
    """Convert samples to mode RGB over a white background.

    Args:
        samples: [height, width, bands]; the first three bands are red, green and blue, fewer than three are grey.
        bits: How many bits of an unsigned integer count; 0 takes the range from the data.
        is_inverted: Whether 0 is white.
        alpha: The band that holds the opacity, of the full range of its type.
    """
    colours = samples[:, :, : 3 if samples.shape[2] >= 3 and alpha != 1 else 1]
    low, high = (0.0, float((1 << bits) - 1)) if bits else _range(colours)
    image = _grey(np.squeeze(colours, 2) if colours.shape[2] == 1 else colours, low, high)
    image = (ImageChops.invert(image) if is_inverted else image).convert("RGB")
    if alpha is None or samples.dtype.kind != "u":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=_grey(samples[:, :, alpha], 0.0, float((1 << 8 * samples.itemsize) - 1)))
    return white


def _from_wide(opened: ImageFile.ImageFile, name: str) -> Image.Image:
    """Convert grey of 16 or 32 bits; the grey that a PNG names transparent becomes white."""
    values = np.asarray(opened)
    is_sixteen_bit = opened.mode.startswith("I;16") or name == "ppm"
    image = _grey(values, *((0.0, 65535.0) if is_sixteen_bit else _range(values)))
    transparent = opened.info.get("transparency")
    if isinstance(transparent, int):
        image.paste(255, mask=Image.fromarray(values == transparent))
    return image.convert("RGB")


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


def _grey(values: Array, low: float, high: float) -> Image.Image:
    out = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _ROWS):
        with np.errstate(invalid="ignore"):
            numbers = values[top : top + _ROWS].astype(np.float64)
        rows = np.nan_to_num(numbers, nan=low, posinf=high, neginf=low)
        out[top : top + _ROWS] = np.clip((rows - low) * (255.0 / (high - low)) + 0.5, 0, 255)
    return Image.fromarray(out)


def _range(values: Array) -> tuple[float, float]:
    """Return the values shown as black and white in 32-bit grey: the smallest usual range that holds all values,
    or their own range where that one would leave the image dark.

    File headers do not state the range.
    """
    low, high = np.inf, -np.inf
    for top in range(0, len(values), _ROWS):
        rows = values[top : top + _ROWS]
        finite = rows[np.isfinite(rows)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:
        low, high = 0.0, 1.0
    usual = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    for white in usual:
        if low >= 0.0 and high <= white:
            return 0.0, white if high >= white / 16 or white == usual[0] else high
    return low, max(high, low + 1.0)
