"""Colours and line styles of classes, derived from their names so that they are the same everywhere."""

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
"""Easily told apart with normal and colour-blind sight; contrast at least 2:1 on white and on near black."""

LINE_STYLES: tuple[tuple[float, ...], ...] = ((), (6.0, 2.0), (2.0, 1.5), (6.0, 1.5, 2.0, 1.5))
"""Solid, dashed, dotted, dash-dot: alternating lengths of dash and gap, in line widths."""

_SALT = b"detrdesk 26302"
"""Chosen so that the five classes of the starter model get distant colours and solid lines."""

_STYLES = (0, 0, 0, 1, 2, 3)
_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)


def label_colour(label: str) -> Colour:
    """Return the colour of a class."""
    return COLOURS[_number(label) % len(COLOURS)]


def line_style(label: str) -> int:
    """Return the line style of a class, an index of `LINE_STYLES`; it distinguishes classes of the same colour.

    Half of all classes are solid, since dashed lines are harder to see.
    """
    return _STYLES[_number(label) // len(COLOURS) % len(_STYLES)]


def text_colour_on(colour: Colour) -> Colour:
    """Return black or white, whichever has more contrast on `colour` by WCAG 2 (at least 4.5:1 on any colour)."""
    light = relative_luminance(colour) + 0.05
    return _BLACK if light / 0.05 >= 1.05 / light else _WHITE


def relative_luminance(colour: Colour) -> float:
    """Return the relative luminance, 0..1 (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


@lru_cache(maxsize=4096)
def _number(label: str) -> int:
    hashed = hashlib.blake2b(label.encode("utf-8", "surrogatepass"), digest_size=8, key=_SALT)
    return int.from_bytes(hashed.digest(), "big")
