"""A class's colour and line style, by its name alone: the same everywhere and every time."""

from __future__ import annotations

import hashlib
from functools import lru_cache

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255."""

COLOURS: tuple[Colour, ...] = (
    (253, 79, 190),
    (209, 178, 24),
    (107, 15, 254),
    (183, 0, 48),
    (40, 197, 245),
    (254, 154, 174),
    (149, 28, 183),
    (170, 187, 109),
    (56, 131, 254),
    (185, 97, 1),
    (150, 51, 115),
    (28, 134, 91),
)
"""Far apart for normal and for colour-blind sight; contrast 2:1 or more on white and on near black."""

LINE_STYLES: tuple[tuple[float, ...], ...] = ((), (6.0, 2.0), (2.0, 1.5), (6.0, 1.5, 2.0, 1.5))
"""Solid, dashed, dotted, dash-dot: lengths of stroke and gap in turn, in line widths."""

_SALT = b"detrdesk 26302"
"""Chosen so that the starter's five classes are far apart, and solid."""

_STYLES = (0, 0, 0, 1, 2, 3)
_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)


def label_colour(label: str) -> Colour:
    """The colour of a class."""
    return COLOURS[_number(label) % len(COLOURS)]


def line_style(label: str) -> int:
    """The line style of a class, an index of `LINE_STYLES`; it tells classes of the same colour apart.

    Half of all classes are solid, since broken lines are harder to see.
    """
    return _STYLES[_number(label) // len(COLOURS) % len(_STYLES)]


def text_colour_on(colour: Colour) -> Colour:
    """Black or white, whichever has more contrast on `colour` by WCAG 2 (at least 4.5:1 on any colour)."""
    light = relative_luminance(colour) + 0.05
    return _BLACK if light / 0.05 >= 1.05 / light else _WHITE


def relative_luminance(colour: Colour) -> float:
    """0 for black to 1 for white, after https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


@lru_cache(maxsize=4096)
def _number(label: str) -> int:
    hashed = hashlib.blake2b(label.encode("utf-8", "surrogatepass"), digest_size=8, key=_SALT)
    return int.from_bytes(hashed.digest(), "big")
