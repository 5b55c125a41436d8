"""Sets lines and blocks of text in the fonts of this machine, as coverage masks."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .words import CHINESE, WORDS

Rng = np.random.Generator
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
MONO_NAMES = ("mono", "courier", "cousine")
LATIN_NAMES = (
    "dejavu", "liberation", "lato", "opensans", "roboto", "cantarell", "urw", "nimbus", "p052", "c059", "z003",
    "notosans-", "notoserif-", "notosansmono", "notosansdisplay", "notoserifdisplay",
)  # fmt: skip
CHINESE_NAMES = ("wqy", "droidsansfallback", "cjk")


class Typesetter:
    """Finds the fonts once and sets text; every mask is float32 in 0..1, of the text's own size in pixels."""

    def __init__(self) -> None:
        files = sorted(p for f in FONT_FOLDERS for p in f.rglob("*") if p.suffix.lower() in (".ttf", ".ttc", ".otf"))
        names = {path: path.name.lower().replace(" ", "") for path in files}
        latin = [p for p, n in names.items() if any(key in n for key in LATIN_NAMES)]
        self._families = {
            "mono": [p for p in latin if any(key in names[p] for key in MONO_NAMES)],
            "sans": [p for p in latin if "sans" in names[p] or "lato" in names[p] or "roboto" in names[p]],
            "bold": [p for p in latin if "bold" in names[p] or "black" in names[p]],
            "any": latin,
            "chinese": [p for p, n in names.items() if any(key in n for key in CHINESE_NAMES)],
        }
        if not latin:
            raise RuntimeError("no fonts found: install fonts-dejavu and fonts-liberation")
        for family, found in self._families.items():
            self._families[family] = found or latin

    @property
    def speaks_chinese(self) -> bool:
        """Whether a font with Chinese glyphs was found."""
        return self._families["chinese"] is not self._families["any"]

    def font(self, size: int, family: str = "any", pick: int = 0) -> ImageFont.FreeTypeFont:
        """The `pick`-th font (modulo their number) of a family at `size` pixels."""
        paths = self._families[family]
        return _load(paths[pick % len(paths)], max(5, size))

    def line(self, text: str, size: int, family: str = "any", pick: int = 0) -> np.ndarray:
        """One line of text, `size` pixels high and as wide as it gets."""
        font = self.font(size, family, pick)
        left, top, right, bottom = font.getbbox(text or " ")
        canvas = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)))
        ImageDraw.Draw(canvas).text((1 - left, 1 - top), text, fill=255, font=font)
        return np.asarray(canvas, np.float32) / 255

    def block(self, rng: Rng, width: int, height: int, size: int, family: str = "any") -> np.ndarray:
        """Random lines of text that fill `width` x `height` pixels, ragged or in columns."""
        pick = int(rng.integers(1000))
        if family == "any" and self.speaks_chinese and rng.random() < 0.15:
            family = "chinese"
        font = self.font(size, family, pick)
        canvas = Image.new("L", (max(1, width), max(1, height)))
        pen = ImageDraw.Draw(canvas)
        step = max(6, int(size * rng.uniform(1.05, 1.5)))
        for top in range(0, max(1, height - size), step):
            if rng.random() < 0.08:
                continue
            share = 1.0 if rng.random() < 0.6 else rng.uniform(0.2, 1.0)
            letters = int(width * share / (size * (0.98 if family == "chinese" else 0.5)))
            pen.text((0, top), phrase(rng, max(1, letters), family == "chinese"), fill=255, font=font)
        return np.asarray(canvas, np.float32) / 255


def phrase(rng: Rng, letters: int, chinese: bool = False) -> str:
    """About `letters` characters of words, numbers among them, in one of several cases."""
    words: list[str] = []
    source = CHINESE if chinese else WORDS
    while sum(map(len, words)) + len(words) <= letters:
        words.append(
            source[rng.integers(len(source))] if rng.random() < 0.8 else str(rng.integers(10 ** rng.integers(1, 7)))
        )
    text = ("" if chinese else " ").join(words)[:letters]
    case = rng.random()
    return text.upper() if case < 0.25 else text.title() if case < 0.45 else text


@lru_cache(maxsize=512)
def _load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)
