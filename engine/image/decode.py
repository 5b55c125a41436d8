"""Decoding of image files to upright RGB, with size limits that are checked before any pixel is decoded."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from PIL import Image, ImageFile

from engine.errors import ImageError
from engine.image.colour import to_rgb
from engine.image.formats import format_of, unreadable, unsupported
from engine.image.header import claimed_size
from engine.image.jpeg import load_jpeg
from engine.image.jpeg_scans import JpegFile, read_jpeg
from engine.image.limits import DEFAULT_LIMITS, LOCAL_LIMITS, Limits, too_many_bytes, too_many_pixels
from engine.image.png_chunks import plain_png
from engine.image.tiff_samples import TiffTags, read_tiff

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

_COMMENTS = 1_000
_ORIENTATION = 0x0112
_XMP = ("xmp", "XML:com.adobe.xmp", "Raw profile type exif")
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


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded image.

    Attributes:
        pixels: Mode RGB, upright, sRGB, without metadata.
        warnings: What the user must know of it; never raised.
    """

    pixels: Image.Image
    warnings: tuple[ImageError, ...] = ()


def decode_image(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Decode an image file to its pixels; see `decode_with_warnings`.

    Raises:
        ImageError: As raised by `decode_with_warnings`.
    """
    return decode_with_warnings(data, limits).pixels


def decode_with_warnings(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Decoded:
    """Decode an image file to mode RGB: upright by EXIF, sRGB, without metadata, the first frame of an animation.

    Transparent pixels become white. A JPEG of which a part is damaged, but no row of blocks is missing, is decoded
    with the warning `image_damaged`.

    Raises:
        ImageError: `image_empty`, `too_many_bytes`, `not_an_image`, `lfs_pointer`, `image_unsupported`,
            `too_many_pixels`, `image_truncated` (truncated or damaged) or `heic_unsupported`.
    """
    if not data:
        raise ImageError("image_empty", "The file is empty; choose another image.")
    if len(data) > limits.max_bytes:
        raise too_many_bytes(ImageError, limits.max_bytes)
    name = format_of(data)
    if name is None:
        raise unreadable(data)
    try:
        return _decoded_tiff(data, limits) if name == "tiff" else upright(open_checked(name, data, limits))
    except ImageError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise too_many_pixels(limits.max_pixels) from error
    except Exception as error:
        raise ImageError(
            "image_truncated", "The image is truncated or damaged; save it or download it again."
        ) from error


def _decoded_tiff(data: bytes, limits: Limits) -> Decoded:
    """Decode a TIFF by Pillow, or from its samples where Pillow does not know them."""
    tags = TiffTags(data)
    if tags.is_for_pillow:
        with contextlib.suppress(SyntaxError, KeyError):
            return upright(open_checked("tiff", data, limits))
    return Decoded(_turned(read_tiff(data, tags, limits), tags.orientation))


@dataclass(frozen=True, slots=True, eq=False)
class CheckedFile:
    """An image file that was opened and is within the limits.

    Attributes:
        opened: Pillow's image, not yet decoded.
        name: The format, as returned by `format_of`.
        data: The file.
        jpeg: What the markers of a JPEG say.
    """

    opened: ImageFile.ImageFile
    name: str
    data: bytes
    jpeg: JpegFile | None = None


def open_checked(name: str, data: bytes, limits: Limits) -> CheckedFile:
    """Read the header and check it against the limits; pixels are not decoded yet, except those of an icon.

    Args:
        name: The format, as returned by `format_of`.
        data: The file.
        limits: Largest number of pixels.

    Raises:
        ImageError: `too_many_pixels`, `image_unsupported` or `heic_unsupported`.
        Exception: Anything that Pillow raises for a damaged file.
    """
    icon = name in {"ico", "cur"}
    limit = min(limits.max_pixels, _SLOW_PIXELS) if icon else limits.max_pixels
    _check_pixels(claimed_size(name, data), limit)
    jpeg = read_jpeg(data) if name == "jpeg" else None
    if jpeg is not None and (jpeg.is_lossless or jpeg.bits != 8):
        raise unsupported("Lossless JPEG" if jpeg.is_lossless else f"{jpeg.bits}-bit JPEG")
    opened = _opened_png(data) if name == "png" else _opener(name)(io.BytesIO(data))
    if not icon and any(tile.codec_name in _SLOW_DECODERS for tile in opened.tile):
        limit = min(limit, _SLOW_PIXELS)
        if data.count(b"#") > _COMMENTS and name == "ppm":
            raise ValueError("too many comments")
    _check_pixels(opened.size, limit)
    if name == "tiff":
        tags = opened.tag_v2  # type: ignore[attr-defined]  # a TiffImageFile
        _check_pixels((tags.get(_TILE_WIDTH, 1), tags.get(_TILE_HEIGHT, 1)), min(limits.max_pixels, _TILE_PIXELS))
    return CheckedFile(opened, name, data, jpeg)


def _opened_png(data: bytes) -> ImageFile.ImageFile:
    """Open a PNG without the chunks that do not matter; its transparent colour is given in the samples of Pillow."""
    plain = plain_png(data)
    opened = _opener("png")(io.BytesIO(plain.data))
    transparent = opened.info.get("transparency")
    if opened.mode == "L" and isinstance(transparent, int):
        opened.info["transparency"] = transparent * 255 // ((1 << plain.bits) - 1)
    elif opened.mode == "RGB" and plain.bits == 16 and transparent is not None:
        opened.info["transparency"] = tuple(level >> 8 for level in transparent)
    if plain.profile:
        opened.info["icc_profile"] = plain.profile
    return opened


def _check_pixels(size: tuple[int, int] | None, limit: int) -> None:
    if size and size[0] * size[1] > limit:
        raise too_many_pixels(limit)


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


def upright(file: CheckedFile) -> Decoded:
    """Decode the pixels of a file to upright RGB without metadata."""
    is_damaged = False
    _drop_xmp(file.opened)  # Pillow turns a TIFF by it while decoding
    if file.jpeg is not None:
        is_damaged = load_jpeg(file.opened, file.data, file.jpeg)
    else:
        file.opened.load()
    orientation = _orientation(file.opened)
    image = _turned(to_rgb(file.opened, file.name), orientation)
    image.info = {}
    return Decoded(image, (_damaged(),) if is_damaged else ())


def _damaged() -> ImageError:
    message = "A part of this image file is damaged and its pixels are wrong; use another copy of it if you can."
    return ImageError("image_damaged", message)


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _drop_xmp(opened: ImageFile.ImageFile) -> None:
    for key in _XMP:
        opened.info.pop(key, None)


def _orientation(opened: ImageFile.ImageFile) -> int:
    """Return the orientation in EXIF, 1 to 8; 1 where it is absent or unreadable. XMP is not asked, as in browsers."""
    _drop_xmp(opened)
    try:
        opened._reload_exif()
        return int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1
