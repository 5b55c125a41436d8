"""What the markers of a JPEG say: its frame, and where the entropy-coded data of each scan lies."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""In entropy-coded data: neither a stuffed byte nor a restart."""
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END_OF_IMAGE, _RESTART_INTERVAL = 0xDA, 0xD9, 0xDD
_SAMPLES = 64

_MOST_SEGMENTS = 10_000
_MOST_SCANS = 100
"""Each scan is a pass over the image: it takes time, however short it is."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One pass over the image, or over some of its components.

    Attributes:
        components: The identifiers of its components.
        first, last: The range of coefficients that it holds, 0 to 63.
        low: The bit that it goes down to (successive approximation); 0 is the last.
        is_refinement: Whether it adds that bit to what an earlier scan began.
        interval: MCUs between two restart markers; 0 is none.
        start, end: Where its entropy-coded data lies.
    """

    components: tuple[int, ...]
    first: int
    last: int
    low: int
    is_refinement: bool
    interval: int
    start: int
    end: int


@dataclass(slots=True)
class JpegFile:
    """A JPEG, up to its end marker.

    Attributes:
        frame: The second byte of the frame's marker, 0xC0 for baseline; 0 is no frame.
        bits: Bits of a sample.
        width, height: Pixels.
        sampling: Blocks of a component in an MCU, across and down, by the component's identifier.
        scans: In the order of the file.
        end: Where the end marker is, or the file ends.
        has_end: Whether there is an end marker.
    """

    frame: int = 0
    bits: int = 8
    width: int = 0
    height: int = 0
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    scans: list[Scan] = field(default_factory=list)
    end: int = 0
    has_end: bool = False

    @property
    def is_huffman_coded(self) -> bool:
        return self.frame in {0xC0, 0xC1, 0xC2}

    @property
    def is_lossless(self) -> bool:
        return self.frame in {0xC3, 0xC7, 0xCB, 0xCF}

    @property
    def is_progressive(self) -> bool:
        return self.frame == 0xC2

    def mcus(self, scan: Scan) -> tuple[int, int, int]:
        """MCUs of a scan across and down, and the blocks in each (ITU-T T.81, A.2)."""
        across = max(wide for wide, _ in self.sampling.values())
        down = max(high for _, high in self.sampling.values())
        if len(scan.components) > 1:
            blocks = sum(wide * high for wide, high in map(self.sampling.__getitem__, scan.components))
            return -(-self.width // (8 * across)), -(-self.height // (8 * down)), blocks
        wide, high = self.sampling[scan.components[0]]
        columns, rows = -(-self.width * wide // across), -(-self.height * high // down)
        return -(-columns // 8), -(-rows // 8), 1

    def lacks_scans(self) -> bool:
        """Whether a component is in no scan, or the last bits of a coefficient that was begun are."""
        low = self._lowest_bits()
        return any(bits[0] is None or any(bits) for bits in low.values())

    def is_coarse(self) -> bool:
        """Whether coefficients of a progressive image are in no scan, which the standard allows."""
        return self.is_progressive and any(None in bits for bits in self._lowest_bits().values())

    def _lowest_bits(self) -> dict[int, list[int | None]]:
        low: dict[int, list[int | None]] = {each: [None] * _SAMPLES for each in self.sampling}
        for scan in self.scans:
            for each in scan.components:
                for coefficient in range(scan.first, min(scan.last, _SAMPLES - 1) + 1):
                    low[each][coefficient] = scan.low if self.is_progressive else 0
        return low


def read_jpeg(data: bytes) -> JpegFile:
    """Read the markers of a JPEG up to its end marker.

    Raises:
        ValueError, IndexError, KeyError, struct.error: They are cut short, make no sense, or are too many.
    """
    found, at, interval = JpegFile(end=len(data)), 2, 0
    for _ in range(_MOST_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None:
            return found
        kind, at = data[marker.end() - 1], marker.end()
        if kind == _END_OF_IMAGE:
            found.end, found.has_end = marker.start(), True
            return found
        body = data[at + 2 : at + int.from_bytes(data[at : at + 2], "big")]
        at += 2 + len(body)
        if kind in _FRAMES and not found.frame:
            found.frame = kind
            found.bits, found.height, found.width, count = struct.unpack_from(">BHHB", body)
            parts = [body[6 + 3 * index : 9 + 3 * index] for index in range(count)]
            found.sampling = {part[0]: (part[1] >> 4, part[1] & 15) for part in parts}
        elif kind == _RESTART_INTERVAL:
            (interval,) = struct.unpack_from(">H", body)
        elif kind == _START_OF_SCAN:
            if len(found.scans) == _MOST_SCANS:
                raise ValueError("too many scans")
            found.scans.append(_scan(data, body, at, interval))
            at = found.scans[-1].end
    raise ValueError("too many segments")


def segments(data: bytes, scan: Scan) -> Iterator[tuple[int, int, int]]:
    """Where the data between the restart markers of a scan starts and ends, and which marker (0 to 7) is before it."""
    start, number = scan.start, -1
    for marker in _RESTART.finditer(data, scan.start, scan.end) if scan.interval else ():
        yield start, marker.start(), number
        start, number = marker.end(), data[marker.end() - 1] & 7
    yield start, scan.end, number


def _scan(data: bytes, body: bytes, start: int, interval: int) -> Scan:
    count = body[0]
    components = tuple(body[1 + 2 * index] for index in range(count))
    first, last, approximation = body[1 + 2 * count : 4 + 2 * count]
    after = _MARKER.search(data, start)
    end = after.start() if after else len(data)
    return Scan(components, first, last, approximation & 15, approximation > 15, interval, start, end)
