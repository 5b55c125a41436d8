"""TIFF images of samples that Pillow cannot show: wide integers, floats, any number of bands.

Pillow decompresses them as rows of bytes, behind a directory that says so; the samples are put together here.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from engine.image.colour import samples_to_rgb
from engine.image.formats import unsupported
from engine.image.limits import Limits, too_many_pixels

Array = npt.NDArray[np.generic]

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _BANDS, _ROWS_PER_STRIP, _COUNTS, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_ORIENTATION = 274
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_SUBFILE, _MAX_VALUE, _SUB_DIRECTORIES, _EXTRA, _FORMAT, _NO_DATA, _DNG = 254, 281, 330, 338, 339, 42113, 50706
_USED = {_BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _BANDS, _COUNTS, _PLANAR, _PREDICTOR, _EXTRA, _FORMAT} | {
    *(_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS)
}
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CFA, _LINEAR_RAW = 0, 1, 2, 32803, 34892
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4
_LOSSLESS_BYTES = {1, 5, 8, 32773, 32946, 34925, 50000}
"""None, LZW, Deflate, PackBits, Deflate, LZMA, Zstandard: compressions of bytes, whatever they stand for."""
_LARGEST_RATIO = {1: 1, 5: 2000, 8: 1100, 32773: 64, 32946: 1100}
"""Bytes that a byte of each compression can stand for at most."""
_NUMPY = {_UNSIGNED: "u", _SIGNED: "i", _FLOAT: "f"}
_PACKED_BITS = {10, 12, 14}
_WHOLE_BITS = {_UNSIGNED: {8, 16, 32, 64}, _SIGNED: {8, 16, 32, 64}, _FLOAT: {16, 32, 64}}
_MOST_BANDS = 4096
_BYTES_OF_A_PIXEL = 4
"""What a pixel takes in an ordinary image; images of wider pixels may have accordingly fewer."""
_OPACITY = {1, 2}
_EIGHT_BITS, _TWELVE_BITS = 255, 4095
_ROWS = 256


class TiffTags:
    """The first directory of a TIFF."""

    def __init__(self, data: bytes) -> None:
        """Read it.

        Raises:
            SyntaxError, ValueError, struct.error, OSError: There is none, or it is cut short.
        """
        is_big = data[2:3] == b"+" or data[3:4] == b"+"
        self._tags = ImageFileDirectory_v2(data[: 16 if is_big else 8])
        file = io.BytesIO(data)
        start = self._tags.next
        file.seek(start)
        self._tags.load(file)
        self.order = "<" if data[:2] == b"II" else ">"
        # Pillow passes over what is cut off
        if not {_WIDTH, _HEIGHT} | (_USED & set(self._entries(data, start, is_big))) <= set(self._tags):
            raise ValueError("the directory is cut short")

    def _entries(self, data: bytes, start: int, is_big: bool) -> Iterator[int]:
        """The tags that a directory names."""
        kind, size, first = ("Q", 20, 8) if is_big else ("H", 12, 2)
        (count,) = struct.unpack_from(self.order + kind, data, start)
        if start + first + count * size > len(data):
            raise ValueError("the directory is cut short")
        for index in range(count):
            yield struct.unpack_from(f"{self.order}H", data, start + first + index * size)[0]

    def all(self, tag: int) -> tuple[Any, ...]:
        """Every value of a tag; empty where it is absent."""
        value = self._tags.get(tag, ())
        return value if isinstance(value, tuple) else (value,)

    def one(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        values = self.all(tag)
        return int(values[0]) if values else default

    @property
    def photometric(self) -> int:
        return self.one(_PHOTOMETRIC, _BLACK_IS_ZERO)

    @property
    def orientation(self) -> int:
        return self.one(_ORIENTATION, 1)

    @property
    def is_camera_raw(self) -> bool:
        """Whether the image is unprocessed sensor data, or a small preview of it."""
        is_preview = self.one(_SUBFILE, 0) & 1 and self.all(_SUB_DIRECTORIES)
        return self.photometric in {_CFA, _LINEAR_RAW} or bool(is_preview or self.all(_DNG))

    @property
    def is_for_pillow(self) -> bool:
        """Whether the samples are of a kind that Pillow shows as they are."""
        bits, bands = max(map(int, self.all(_BITS)), default=1), self.one(_BANDS, 1)
        if self.is_camera_raw or not set(self.all(_FORMAT)) <= {_UNSIGNED, _UNDEFINED}:
            return False
        if self.photometric in {_WHITE_IS_ZERO, _BLACK_IS_ZERO}:
            return bits <= 8 and bands <= 2
        if self.photometric != _RGB or bits <= 8:
            return bands <= 6
        return bands <= 4 and self.one(_PLANAR, 1) == 1


class _Layout:
    """How the samples of a TIFF lie."""

    def __init__(self, tags: TiffTags) -> None:
        bits, formats = {*tags.all(_BITS)} or {1}, {*tags.all(_FORMAT)} or {_UNSIGNED}
        self.tags = tags
        self.bits, self.format = int(max(bits)), int(max(formats))
        self.bands = tags.one(_BANDS, 1)
        self.is_planar = tags.one(_PLANAR, 1) == 2
        self.size = tags.one(_WIDTH, 0), tags.one(_HEIGHT, 0)
        is_packed = self.format == _UNSIGNED and self.bits in _PACKED_BITS
        is_uniform = len(bits) == len(formats) == 1
        compression = tags.one(_COMPRESSION, 1)
        if tags.is_camera_raw:
            raise unsupported("Camera raw")
        if tags.photometric not in {_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB}:
            raise unsupported(f"TIFF (colour model {tags.photometric})")
        if not is_uniform or not (is_packed or self.bits in _WHOLE_BITS.get(self.format, ())):
            kind = {_UNSIGNED: "integer", _SIGNED: "integer", _FLOAT: "float"}.get(self.format, "complex")
            raise unsupported(f"{self.bits}-bit {kind} TIFF")
        if compression not in _LOSSLESS_BYTES:
            raise unsupported(f"{self.bits}-bit TIFF (compression {compression})")
        if is_packed and tags.all(_TILE_WIDTH):
            raise unsupported(f"Tiled {self.bits}-bit TIFF")
        if not 0 < self.bands <= _MOST_BANDS:
            raise ValueError("no bands")

    @property
    def bands_together(self) -> int:
        return 1 if self.is_planar else self.bands

    def row_bytes(self, width: int) -> int:
        return -(-width * self.bands_together * self.bits // 8)


def read_tiff(data: bytes, tags: TiffTags, limits: Limits) -> Image.Image:
    """Decode to mode RGB: the first three bands, or the first where there are fewer; the background is white.

    Integers of 8 to 16 bits are shown in their full range, others in the range of their values.

    Raises:
        ImageError: `too_many_pixels`, or `image_unsupported` for samples or a compression that cannot be read.
        Exception: Anything that Pillow raises for a damaged file.
    """
    samples, layout = _samples(data, tags, limits)
    is_grey = tags.photometric != _RGB
    colours = 1 if is_grey and layout.bands < 3 else 3
    kinds = tags.all(_EXTRA)
    if kinds and kinds[0] in _OPACITY and layout.bands - len(kinds) in {1, 3}:
        colours = layout.bands - len(kinds)
        alpha = colours
    else:
        alpha = None
    bits = layout.bits if layout.format == _UNSIGNED and layout.bits <= 16 else 0
    if bits == 16 and is_grey:
        bits = _used_bits(samples[:, :, :colours], tags)
    no_data = _no_data(tags)
    if no_data is not None and bits == 0:
        samples = np.where(samples == no_data, np.nan, samples.astype(np.float64))
    return samples_to_rgb(samples, bits, tags.photometric == _WHITE_IS_ZERO, alpha)


def _used_bits(samples: Array, tags: TiffTags) -> int:
    """How many of 16 bits of grey a camera used: as the file says, else 12 where no value needs more."""
    said = tags.one(_MAX_VALUE, 0)
    most = said if said else int(samples.max(initial=0))
    return 12 if _EIGHT_BITS < most <= _TWELVE_BITS else max(1, said.bit_length()) if said > _TWELVE_BITS else 16


def _no_data(tags: TiffTags) -> float | None:
    """The value by which GDAL marks pixels without data."""
    with contextlib.suppress(ValueError):
        return float("".join(map(str, tags.all(_NO_DATA))).strip("\0 "))
    return None


def _samples(data: bytes, tags: TiffTags, limits: Limits) -> tuple[Array, _Layout]:
    """Return the samples [height, width, bands], the first three bands or four, and how they lay in the file.

    Raises:
        ImageError: `too_many_pixels`, or `image_unsupported` for samples or a compression that cannot be read.
        Exception: Anything that Pillow raises for a damaged file.
    """
    layout = _Layout(tags)
    width, height = layout.size
    most = min(limits.max_pixels, limits.max_pixels * _BYTES_OF_A_PIXEL // max(1, layout.row_bytes(1)))
    if width * height > most:
        raise too_many_pixels(most)
    if layout.is_planar:
        planes = [_plane(data, layout, band) for band in range(min(layout.bands, 4))]
        return np.concatenate(planes, axis=2), layout
    return _plane(data, layout, 0)[:, :, :4], layout


def _plane(data: bytes, layout: _Layout, plane: int) -> Array:
    width, height = layout.size
    count = layout.bands_together
    image = TiffImageFile(io.BytesIO(_as_bytes(data, layout, plane)))
    if image.size != (layout.row_bytes(width), height):
        raise ValueError("sizes differ")
    rows: Array = np.asarray(image)
    if layout.bits in _PACKED_BITS:
        return np.concatenate(
            [_unpacked(rows[top : top + _ROWS], layout.bits, width * count) for top in range(0, height, _ROWS)]
        ).reshape(height, width, count)
    return _without_predictor(rows, layout).reshape(height, width, count)


def _as_bytes(data: bytes, layout: _Layout, plane: int) -> bytes:
    """The same file with a directory by which each row is so many grey bytes."""
    tags, tiles = layout.tags, layout.tags.all(_TILE_WIDTH)
    offsets, counts = (_TILE_OFFSETS, _TILE_COUNTS) if tiles else (_OFFSETS, _COUNTS)
    planes = layout.bands if layout.is_planar else 1
    share = len(tags.all(offsets)) // planes
    if any(at + length > len(data) for at, length in zip(tags.all(offsets), tags.all(counts), strict=True)):
        raise ValueError("the file is cut short")
    most = sum(tags.all(counts)) * _LARGEST_RATIO.get(tags.one(_COMPRESSION, 1), 1 << 20)
    if layout.row_bytes(layout.size[0]) * layout.size[1] * planes > most:
        raise ValueError("the file is too small for its size")
    width, height = layout.size
    values = {
        _WIDTH: (layout.row_bytes(width),),
        _HEIGHT: (height,),
        _BITS: (8,),
        _COMPRESSION: (tags.one(_COMPRESSION, 1),),
        _PHOTOMETRIC: (_BLACK_IS_ZERO,),
        _FILL_ORDER: (tags.one(_FILL_ORDER, 1),),
        _BANDS: (1,),
        offsets: tags.all(offsets)[plane * share : (plane + 1) * share],
        counts: tags.all(counts)[plane * share : (plane + 1) * share],
    }
    if tiles:
        values |= {_TILE_WIDTH: (layout.row_bytes(tiles[0]),), _TILE_HEIGHT: (tags.one(_TILE_HEIGHT, 0),)}
    else:
        values[_ROWS_PER_STRIP] = (min(tags.one(_ROWS_PER_STRIP, height), height),)
    directory, far = struct.pack("<H", len(values)), b""
    far_at = len(data) + 2 + 12 * len(values) + 4
    for tag, items in sorted(values.items()):
        body = struct.pack(f"<{len(items)}I", *items)
        if len(items) > 1:
            body, far = struct.pack("<I", far_at + len(far)), far + body
        directory += struct.pack("<HHI", tag, 4, len(items)) + body
    return b"".join([b"II*\0", struct.pack("<I", len(data)), memoryview(data)[8:], directory, bytes(4), far])


def _unpacked(rows: Array, bits: int, count: int) -> Array:
    """The numbers of 10, 12 or 14 bits in rows of bytes."""
    each = np.unpackbits(rows.astype(np.uint8, copy=False), axis=1)[:, : count * bits].reshape(len(rows), count, bits)
    return each.astype(np.uint16) @ (1 << np.arange(bits - 1, -1, -1, dtype=np.uint16))


def _without_predictor(rows: Array, layout: _Layout) -> Array:
    """The samples of rows of bytes, differences summed up (TIFF 6.0, section 14; Adobe's technical note 3)."""
    tags, size = layout.tags, layout.bits // 8
    predictor, count = tags.one(_PREDICTOR, 1), layout.bands_together
    kind = np.dtype(f"{tags.order}{_NUMPY[layout.format]}{size}")
    block = tags.one(_TILE_WIDTH, layout.size[0]) if tags.all(_TILE_WIDTH) else layout.size[0]
    if predictor == 1:
        return np.ascontiguousarray(rows).view(kind)
    parts = []
    for left in range(0, rows.shape[1], block * count * size):
        part = np.ascontiguousarray(rows[:, left : left + block * count * size])
        if part.shape[1] < block * count * size and predictor == 3:
            raise unsupported("Tiled float TIFF")  # the planes of bytes of an outer tile go beyond the image
        parts.append(_summed(part, kind, count) if predictor == 2 else _assembled(part, kind, count))
    return np.concatenate(parts, axis=1)


def _summed(part: Array, kind: np.dtype[Any], count: int) -> Array:
    whole = np.dtype(f"{kind.byteorder}u{kind.itemsize}")
    numbers = part.view(whole).reshape(len(part), -1, count)
    return np.cumsum(numbers, axis=1, dtype=whole.newbyteorder("=")).reshape(len(part), -1).view(kind.newbyteorder("="))


def _assembled(part: Array, kind: np.dtype[Any], count: int) -> Array:
    size = kind.itemsize
    summed = np.cumsum(part.reshape(len(part), -1, count), axis=1, dtype=np.uint8).reshape(len(part), size, -1)
    return np.ascontiguousarray(summed.transpose(0, 2, 1)).reshape(len(part), -1).view(kind.newbyteorder(">"))
