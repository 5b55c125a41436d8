"""Choice of fonts for text in any script: the bundled font, then the system's, per character."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

from engine.paths import resource

_PROBE = 16
"""Size in pixels at which glyphs are compared."""

_MISSING = ("\U0010ffff", "\ufffe")
"""Characters that no font has; their glyph is the font's glyph for missing characters."""

_SUFFIXES = {".ttf", ".otf", ".ttc"}
_MOST_FONTS = 600
_PREFERRED = (
    "notosans",
    "dejavusans",
    "arialuni",
    "segoeui",
    "nirmala",
    "malgun",
    "meiryo",
    "yugoth",
    "leelaw",
    "arial",
)


def font_for(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Load a font at `size` pixels per em."""
    return _font(path, size)


def runs(text: str) -> Iterator[tuple[str, Path]]:
    """Split text into runs with the font file of each; combining marks and joiners stay with their base character."""
    piece, path = "", bundled()
    for char in text:
        wanted = path if piece and _belongs_to_former(char) else _path_for(char)
        if piece and wanted != path:
            yield piece, path
            piece = ""
        piece, path = piece + char, wanted
    if piece:
        yield piece, path


def bundled() -> Path:
    """Return the path of the bundled font."""
    return resource("fonts", "detrdesk-sans.otf")


def has_glyph(path: Path, char: str) -> bool:
    """Return whether the font file has the character; false for an unreadable file."""
    try:
        return _glyph(path, char) not in _missing(path)
    except (OSError, ValueError):
        return False


def _belongs_to_former(char: str) -> bool:
    return char == " " or unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"}


@lru_cache(maxsize=4096)
def _path_for(char: str) -> Path:
    """Return the first font that has the character; the bundled one if none has."""
    if has_glyph(bundled(), char):
        return bundled()
    return next((path for path in _system_fonts() if has_glyph(path, char)), bundled())


@cache
def _missing(path: Path) -> frozenset[tuple[tuple[int, int], bytes]]:
    return frozenset(_glyph(path, char) for char in _MISSING)


def _glyph(path: Path, char: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(path, _PROBE).getmask(char)
    return mask.size, bytes(mask)


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


@cache
def _system_fonts() -> tuple[Path, ...]:
    """List the system's upright fonts of regular weight, those with many scripts first."""
    found = (
        Path(at, name)
        for folder in _font_folders()
        for at, _, names in os.walk(folder)
        for name in names
        if Path(name).suffix.lower() in _SUFFIXES and _is_plain(name.lower())
    )
    return tuple(sorted(found, key=_rank)[:_MOST_FONTS])


def _is_plain(name: str) -> bool:
    return not any(style in name for style in ("bold", "italic", "oblique", "mono", "light", "thin", "black", "emoji"))


def _rank(path: Path) -> tuple[int, str]:
    name = path.name.lower().replace("-", "").replace("_", "")
    ranks = (at for at, start in enumerate(_PREFERRED) if name.startswith(start))
    return next(ranks, len(_PREFERRED)), str(path)


def _font_folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        windows = Path(os.environ.get("WINDIR", r"C:\Windows"), "Fonts")
        return [windows, home / "AppData" / "Local" / "Microsoft" / "Windows" / "Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"]
    shared = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    return [
        *(Path(folder, "fonts") for folder in shared if folder),
        home / ".local" / "share" / "fonts",
        home / ".fonts",
    ]
