"""Decoding of image files to upright RGB, with size limits that are checked before any pixel is decoded."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from importlib import import_module

from PIL import Image, ImageFile

from engine.errors import ImageError
from engine.image.colour import to_rgb
from engine.image.formats import format_of
from engine.image.header import claimed_size, jpeg_scans
from engine.image.limits import DEFAULT_LIMITS, LOCAL_LIMITS, Limits, too_many_bytes

__all__ = ["LOCAL_LIMITS", "Limits", "decode_image"]

# Our own limit is checked first. Pillow's default is lower than ours, and it warns below its limit.
Image.MAX_IMAGE_PIXELS = 1 << 30
# Pillow warns about malformed metadata, which the user need not know.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_OPENERS = {
    "jpeg": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "png": ("PIL.PngImagePlugin", "PngImageFile"),
    "gif": ("PIL.GifImagePlugin", "GifImageFile"),
    "tiff": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "ico": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "cur": ("PIL.CurImagePlugin", "CurImageFile"),
    "webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "bmp": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "ppm": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "avif": ("PIL.AvifImagePlugin", "AvifImageFile"),
}
"""Pillow plugin and class by format, imported at the first file of the format. Pillow's other plugins are not used."""

_SLOW_DECODERS = {"bmp_rle", "ppm", "ppm_plain"}
_SLOW_PIXELS = 4_000_000
"""Pixel limit of icons and of formats that Pillow decodes in Python."""

_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_TILE_PIXELS = 1 << 24
"""Pixel limit of one TIFF tile: libtiff allocates whole tiles, even for a small image."""

_SCANS = 100
_COMMENTS = 1_000
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transposition that turns an image upright, by EXIF orientation."""


def decode_image(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Decode an image file to mode RGB: upright, sRGB, without metadata, the first frame of an animation.

    Transparent pixels become white.

    Raises:
        ImageError: `image_empty`, `too_many_bytes`, `not_an_image`, `too_many_pixels`, `image_truncated` (truncated
            or damaged) or `heic_unsupported`.
    """
    if not data:
        raise ImageError("image_empty", "The file is empty; choose another image.")
    if len(data) > limits.max_bytes:
        raise too_many_bytes(ImageError, limits.max_bytes)
    name = format_of(data)
    if name is None:
        raise ImageError(
            "not_an_image", "This is not an image that can be read; use JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF."
        )
    try:
        return upright(open_checked(name, data, limits), name)
    except ImageError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise _too_many_pixels(limits.max_pixels) from error
    except Exception as error:
        raise ImageError(
            "image_truncated", "The image is truncated or damaged; save it or download it again."
        ) from error


def _too_many_pixels(limit: int) -> ImageError:
    message = "The image has more than {limit} megapixels; scale it down first."
    return ImageError("too_many_pixels", message, limit=f"{limit / 1e6:g}")


def open_checked(name: str, data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """Read the header and check it against the limits; pixels are not decoded yet, except those of an icon.

    Args:
        name: The format, as returned by `format_of`.
        data: The file.
        limits: Largest number of pixels.

    Raises:
        ImageError: `too_many_pixels` or `heic_unsupported`.
        Exception: Anything that Pillow raises for a damaged file.
    """
    icon = name in {"ico", "cur"}
    limit = min(limits.max_pixels, _SLOW_PIXELS) if icon else limits.max_pixels
    _check_pixels(claimed_size(name, data), limit)
    opened = _opener(name)(io.BytesIO(data))
    if not icon and any(tile.codec_name in _SLOW_DECODERS for tile in opened.tile):
        limit = min(limit, _SLOW_PIXELS)
        if data.count(b"#") > _COMMENTS and name == "ppm":
            raise ValueError("too many comments")
    _check_pixels(opened.size, limit)
    if name == "tiff":
        tags = opened.tag_v2  # type: ignore[attr-defined]  # a TiffImageFile
        _check_pixels((tags.get(_TILE_WIDTH, 1), tags.get(_TILE_HEIGHT, 1)), min(limits.max_pixels, _TILE_PIXELS))
    if name == "jpeg" and jpeg_scans(data) > _SCANS:
        raise ValueError("too many scans")
    return opened


def _check_pixels(size: tuple[int, int] | None, limit: int) -> None:
    if size and size[0] * size[1] > limit:
        raise _too_many_pixels(limit)


def _opener(name: str) -> Callable[[io.BytesIO], ImageFile.ImageFile]:
    if name == "heic":
        return _heif_opener()
    module, kind = _OPENERS[name]
    opener: Callable[[io.BytesIO], ImageFile.ImageFile] = getattr(import_module(module), kind)
    return opener


def _heif_opener() -> Callable[[io.BytesIO], ImageFile.ImageFile]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError(
            "heic_unsupported", "HEIC images need the pillow-heif package: pip install 'detrdesk[heic]'."
        ) from None
    opener: Callable[[io.BytesIO], ImageFile.ImageFile] = HeifImageFile
    return opener


def upright(opened: ImageFile.ImageFile, name: str) -> Image.Image:
    """Decode the pixels of an opened image of format `name` to upright RGB without metadata."""
    opened.load()
    orientation = _orientation(opened)
    image = to_rgb(opened, name)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    image.info = {}
    return image


def _orientation(opened: ImageFile.ImageFile) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where it is absent or unreadable."""
    try:
        return int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1
