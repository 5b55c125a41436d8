"""How a large image is cut into overlapping tiles, so that small things in it are seen large enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

USUAL_SIDE = 640
LEAST_SIDE, MOST_SIDE = 64, 8192
USUAL_OVERLAP = 0.2

_SMALL_ENOUGH = 1.5
"""An image that is no larger than so many times what the model takes loses little when it is shrunk."""

Edges = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Tiling:
    """How to cut.

    Attributes:
        side: Width and height of a tile, pixels of the image as shown.
        overlap: How much of its side a tile shares with the next one at least, 0..0.5; smaller things are whole in one.
    """

    side: int = USUAL_SIDE
    overlap: float = USUAL_OVERLAP

    def __post_init__(self) -> None:
        if not (LEAST_SIDE <= self.side <= MOST_SIDE and 0.0 <= self.overlap <= 0.5):
            raise ValueError("no such tiles")

    @property
    def key(self) -> str:
        """What tells answers of this tiling from others."""
        return f"tiles:{self.side}:{self.overlap:g}"

    @property
    def shared(self) -> float:
        """What two neighbours share at least, pixels."""
        return self.side * self.overlap


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of an image; edges in pixels of the image as shown, right and bottom ones outside it."""

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
    """What tiles of an image cost with a model, as far as that is known before.

    Attributes:
        width, height: Size of the image, pixels.
        takes: Width and height that the model shrinks the image to, pixels.
        milliseconds: What its last answer took; `None` before its first one.
    """

    width: int
    height: int
    takes: tuple[int, int]
    milliseconds: float | None

    def tiles(self, tiling: Tiling) -> int:
        """How many tiles there are; 0 where the image is small enough as it is."""
        return tile_count(self.width, self.height, self.takes, tiling)

    def seconds(self, tiling: Tiling) -> float | None:
        """About how long they take, with the image as a whole."""
        return None if self.milliseconds is None else (1 + self.tiles(tiling)) * self.milliseconds / 1e3


def tile_count(width: int, height: int, takes: tuple[int, int], tiling: Tiling) -> int:
    """How many tiles an image is cut into; 0 where it is small enough as it is. As `tiles`, which makes them."""
    if not _is_cut(width, height, takes, tiling):
        return 0
    return _steps(width, tiling) * _steps(height, tiling)


def tiles(width: int, height: int, takes: tuple[int, int], tiling: Tiling) -> list[Tile]:
    """The tiles of an image, row by row, spread evenly over it; none where it is small enough as it is.

    Args:
        width, height: Size of the image, pixels.
        takes: Width and height that the model shrinks the whole image to, pixels.
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
    """Where the tiles along one side of the image begin, the last one ending with it."""
    last = _steps(length, tiling) - 1
    return [round(at * (length - tiling.side) / last) if last else 0 for at in range(last + 1)]
