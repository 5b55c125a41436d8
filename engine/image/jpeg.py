"""Decoding of JPEG that tells whether every block came from the file.

libjpeg makes up what a file lacks, and Pillow hides its warnings. How far it came is told by what it consumes. Behind
the last block of a scan or restart interval it skips each byte up to the next marker; within one, a single byte is
never enough to go on with, because it fills its bit buffer before it decodes a symbol.

What is not seen: a hole in a refinement scan of a progressive JPEG behind which the decoder falls into step again,
unless it is filled with zeros.
"""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageFile

from engine.image.jpeg_scans import JpegFile, Scan, read_jpeg, segments

_END = b"\xff\xd9"
_ONES, _ZEROS = b"\xff\x00", b"\x00"
"""Eight one bits and eight zero bits as they stand in entropy-coded data. No symbol is all ones: libjpeg takes 17 of
them for a symbol of value 0."""
_SYMBOL_BITS = 17
_AHEAD = 8
"""Bytes that libjpeg may want to see behind the last symbol."""
_PADS = (b"\x00" * _AHEAD, b"\x5a" * _AHEAD, b"\xb3" * _AHEAD)
"""Bits behind the last ones of a file that lacks its end marker: where none of them matters, none was missing."""
_SPARE = 32
"""Bytes behind the last block of a scan that are padding and no sign of damage."""
_LONGEST_ZEROS = 64
"""More zero bytes at the end of a scan are a part of the file that was never written."""
_HOLE = bytes(256)
_TAIL = 4096
_MOST_PROBED = 20_000
"""Restart intervals of a scan that are probed one by one; each takes a few microseconds."""


class TruncatedError(ValueError):
    """The file lacks rows of blocks."""


def load_jpeg(opened: ImageFile.ImageFile, data: bytes, file: JpegFile) -> bool:
    """Decode the pixels of an opened JPEG; return whether a part of it is damaged.

    A missing end marker is no damage. Missing restart markers are put back, so that what is behind a gap stays in its
    place.

    Args:
        opened: Not yet loaded; `draft` may have been called.
        data: The file.
        file: What its markers say.

    Raises:
        TruncatedError: The file lacks rows of blocks or, without its end marker, any block.
        OSError, ValueError, IndexError: It cannot be decoded.
    """
    if not file.is_huffman_coded:
        opened.load()
        return False
    if not file.scans or file.lacks_scans() or (file.is_coarse() and not file.has_end):
        raise TruncatedError
    is_coarse = file.is_coarse()
    if not file.has_end:
        data = data.rstrip(b"\xff")
        file = read_jpeg(data)
    mended, lacks_rows, is_damaged = _with_restarts(data, file)
    if mended is not data:
        data, file = mended, read_jpeg(mended)
    probe = _Probe(opened, data, file, _ONES * _AHEAD)
    is_whole = probe.is_whole and not is_damaged
    if lacks_rows or probe.lacks_rows or not (file.has_end or is_whole):
        raise TruncatedError
    if not probe.is_whole:
        probe = _Probe(opened, data, file, b"")
    elif not file.has_end and not all(_is_same(opened, probe, _Probe(opened, data, file, pad)) for pad in _PADS):
        raise TruncatedError
    opened.im, opened.tile = probe.pixels, []
    return not is_whole or probe.has_surplus or is_coarse or _has_zeros(data, file)


def _has_zeros(data: bytes, file: JpegFile) -> bool:
    """Whether zeros were written over a scan of coefficients, which never has so many of them."""
    scans = [scan for scan in file.scans if file.is_progressive and scan.first > 0]
    return any(data.find(_HOLE, scan.start, _written_end(data, scan.start, scan.end)) >= 0 for scan in scans)


def _is_same(opened: ImageFile.ImageFile, one: _Probe, other: _Probe) -> bool:
    return opened._new(one.pixels).tobytes() == opened._new(other.pixels).tobytes()


class _Probe:
    """A decode that looks at the end of each scan and restart interval.

    Attributes:
        pixels: The decoded pixels.
        is_whole: Whether all blocks were in the file.
        has_surplus: Whether a scan or interval holds more than its blocks, which is a sign of damage before.
        lacks_rows: Whether the last scan lacks a row of blocks or more.
    """

    def __init__(self, opened: ImageFile.ImageFile, data: bytes, file: JpegFile, ahead: bytes) -> None:
        """Decode; `ahead` goes in behind each end, and without it nothing is looked at."""
        name, extents, _, arguments = opened.tile[0]
        self.pixels = Image.new(opened.mode, opened.size, None).im
        self.is_whole, self.has_surplus, self.lacks_rows = True, False, False
        self._data, self._ahead = data, ahead
        self._at, self._left, self._is_over, self._is_filled = 0, b"", False, False
        self._decoder: Any = Image._getdecoder(opened.mode, name, arguments, opened.decoderconfig)
        try:
            self._decoder.setimage(self.pixels, extents)
            if ahead:
                self._run(file)
            self._feed(data[self._at : file.end] + _END)
        finally:
            self._decoder.cleanup()
        if not self._is_over:
            raise TruncatedError

    def _run(self, file: JpegFile) -> None:
        for scan in file.scans:
            pieces = [(start, end) for start, end, _ in segments(self._data, scan)]
            for start, end in pieces if len(pieces) <= _MOST_PROBED else pieces[-1:]:
                is_complete = self._decode(start, end)
                self.is_whole = self.is_whole and is_complete
                if not is_complete and end == file.scans[-1].end:
                    self.lacks_rows = self._is_filled or not self._completes_with(_bits_of_a_row(file, scan))

    def _decode(self, start: int, end: int) -> bool:
        """Decode up to the end of a scan or interval; return whether all its blocks were there."""
        written = _written_end(self._data, start, end)
        early = written - _SPARE
        while early > start and 0xFF in self._data[early - 1 : early + 1]:
            early -= 1
        if early > start + _SPARE and self._is_complete_at(early):
            self.has_surplus = True
        has_zeros = end - written > _LONGEST_ZEROS
        # zeros may be flat blocks, but then they are as many as the blocks need
        if has_zeros and not self._is_complete_at(written + _AHEAD) and self._is_complete_at(end - _SPARE):
            self._feed_to(end)
            self._is_filled = True
            return False
        self._feed_to(end)
        self._feed(self._ahead)
        return self._is_over or self._skips(_ZEROS)

    def _is_complete_at(self, place: int) -> bool:
        """Decode up to a place and one byte further; return whether the last block was before."""
        self._feed_to(place)
        is_complete = self._is_over or self._skips(self._data[place : place + 1])
        self._at = place + 1
        return is_complete

    def _completes_with(self, bits: int) -> bool:
        """Whether the scan is complete behind this many one bits."""
        self._feed(_ONES * (bits // 8))
        return self._is_over or self._skips(_ZEROS)

    def _skips(self, byte: bytes) -> bool:
        """Feed a byte; return whether libjpeg passes it over in search of a marker."""
        had_all = not self._left
        self._feed(byte)
        return had_all and not self._left

    def _feed_to(self, end: int) -> None:
        self._feed(self._data[self._at : end])
        self._at = end

    def _feed(self, piece: bytes) -> None:
        if self._is_over or not piece:
            return
        piece = self._left + piece if self._left else piece
        count, error = self._decoder.decode(piece)
        if error:
            raise ValueError(f"libjpeg: error {error}")
        self._is_over = count < 0
        self._left = b"" if self._is_over else piece[count:]


def _written_end(data: bytes, start: int, end: int) -> int:
    """Where the zeros or ones that fill the end of a scan begin."""
    for from_ in (max(start, end - _TAIL), start):
        tail = data[from_:end].rstrip(b"\0").rstrip(b"\xff")
        if tail:
            return from_ + len(tail)
    return start


def _bits_of_a_row(file: JpegFile, scan: Scan) -> int:
    """The one bits that libjpeg takes for a row of MCUs of a scan."""
    across, _, blocks = file.mcus(scan)
    if not file.is_progressive:
        return across * blocks * 2 * _SYMBOL_BITS
    is_one_bit_each = scan.first == 0 and scan.is_refinement
    return across * blocks * (1 if is_one_bit_each else _SYMBOL_BITS)


def _with_restarts(data: bytes, file: JpegFile) -> tuple[bytes, bool, bool]:
    """Put in the restart markers where their numbering has gaps.

    Returns the file, whether it lacks its last rows, and whether markers are missing or too many.

    libjpeg bridges a gap of two intervals; behind a longer one all that follows would move up.
    """
    pieces: list[bytes] = []
    at, lacks_rows, is_damaged = 0, False, False
    for scan in file.scans:
        if not scan.interval:
            continue
        across, down, _ = file.mcus(scan)
        restarts = [(start - 2, number) for start, _, number in segments(data, scan)][1:]
        missing = -(-across * down // scan.interval) - 1 - len(restarts)
        gaps = _gaps(restarts, missing)
        is_damaged = is_damaged or bool(missing or gaps)
        for place, first, size in gaps:
            pieces += [data[at:place], *(bytes((0xFF, 0xD0 + (first + index) % 8)) for index in range(size))]
            at = place
        missing -= sum(size for _, _, size in gaps)
        lacks_rows = scan is file.scans[-1] and missing * scan.interval >= across
    return (b"".join([*pieces, data[at:]]) if pieces else data), lacks_rows, is_damaged


def _gaps(restarts: list[tuple[int, int]], missing: int) -> list[tuple[int, int, int]]:
    """Where restart markers are missing: the place, the first number and how many; none where that is not clear."""
    gaps, wanted = [], 0
    for place, number in restarts:
        if number != wanted:
            gaps.append((place, wanted, (number - wanted) % 8))
        wanted = (number + 1) % 8
    if len(gaps) == 1 and missing > 0 and (missing - gaps[0][2]) % 8 == 0:
        return [(*gaps[0][:2], missing)]
    return gaps if sum(size for _, _, size in gaps) <= missing else []
