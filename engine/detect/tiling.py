"""Tiles of large images, in which small objects are large enough to be detected."""

from __future__ import annotations

import math
from dataclasses import dataclass

USUAL_SIDE = 640
LEAST_SIDE, MOST_SIDE = 64, 8192
USUAL_OVERLAP = 0.2

_SMALL_ENOUGH = 1.5
"""Times the model's input size: a smaller image is not cut, as resizing loses little."""

Edges = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Tiling:
    """How an image is cut.

    Attributes:
        side: Width and height of a tile, pixels of the image as shown.
        overlap: Least share of its side that a tile shares with the next one, 0..0.5.
    """

    side: int = USUAL_SIDE
    overlap: float = USUAL_OVERLAP

    def __post_init__(self) -> None:
        if not (LEAST_SIDE <= self.side <= MOST_SIDE and 0.0 <= self.overlap <= 0.5):
            raise ValueError("no such tiles")

    @property
    def key(self) -> str:
        """The part of the cache key."""
        return f"tiles:{self.side}:{self.overlap:g}"

    @property
    def shared(self) -> float:
        """Least overlap of two neighbours, pixels."""
        return self.side * self.overlap


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile; edges in pixels of the image as shown, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def edges(self) -> Edges:
        """xyxy."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True, slots=True)
class Pace:
    """The cost of the tiles of an image with a model, known in advance.

    Attributes:
        width, height: Size of the image, pixels.
        takes: Width and height of the model's input, pixels.
        milliseconds: Time of the model's last run; `None` before its first one.
    """

    width: int
    height: int
    takes: tuple[int, int]
    milliseconds: float | None

    def tiles(self, tiling: Tiling) -> int:
        """Return the number of tiles; 0 where the image is not cut."""
        return tile_count(self.width, self.height, self.takes, tiling)

    def seconds(self, tiling: Tiling) -> float | None:
        """Return about how long the tiles and the whole image take."""
        return None if self.milliseconds is None else (1 + self.tiles(tiling)) * self.milliseconds / 1e3


def tile_count(width: int, height: int, takes: tuple[int, int], tiling: Tiling) -> int:
    """Return the number of tiles of an image; 0 where it is not cut. See `tiles`."""
    if not _is_cut(width, height, takes, tiling):
        return 0
    return _steps(width, tiling) * _steps(height, tiling)


def tiles(width: int, height: int, takes: tuple[int, int], tiling: Tiling) -> list[Tile]:
    """Return the tiles of an image, row by row, evenly spread; none where it is small enough.

    Args:
        width, height: Size of the image, pixels.
        takes: Width and height of the model's input for the whole image, pixels.
        tiling: How to cut.
    """
    if not _is_cut(width, height, takes, tiling):
        return []
    wide, high = min(tiling.side, width), min(tiling.side, height)
    columns, rows = _starts(width, tiling), _starts(height, tiling)
    return [Tile(left, top, left + wide, top + high) for top in rows for left in columns]


def _is_cut(width: int, height: int, takes: tuple[int, int], tiling: Tiling) -> bool:
    shrinks = width > _SMALL_ENOUGH * takes[0] or height > _SMALL_ENOUGH * takes[1]
    return shrinks and max(width, height) > tiling.side


def _steps(length: int, tiling: Tiling) -> int:
    return 1 + max(0, math.ceil((length - tiling.side) / (tiling.side - tiling.shared)))


def _starts(length: int, tiling: Tiling) -> list[int]:
    """Return where the tiles along one side begin; the last one ends with the image."""
    last = _steps(length, tiling) - 1
    return [round(at * (length - tiling.side) / last) if last else 0 for at in range(last + 1)]
