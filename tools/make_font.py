"""Make `resources/fonts/detrdesk-sans.otf`: Latin-1, Greek, Cyrillic, arrows and GB 2312 of Noto Sans CJK SC.

    python tools/make_font.py [NotoSansCJK-Regular.ttc]

The font file comes from Debian's `fonts-noto-cjk`; fonttools is needed. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SIMPLIFIED_CHINESE = 2
"""The face of the collection that draws Han characters as in mainland China."""

TARGET = Path(__file__).resolve().parents[1] / "resources" / "fonts" / "detrdesk-sans.otf"
FAMILY = "detrdesk Sans"
POSTSCRIPT_NAME = "detrdeskSans-Regular"

LATIN = [(0x0020, 0x007E), (0x00A0, 0x017F), (0x0192, 0x0192), (0x0218, 0x021B), (0x02C6, 0x02DD), (0x1EA0, 0x1EF9)]
GREEK_AND_CYRILLIC = [(0x0370, 0x03FF), (0x0400, 0x045F), (0x0490, 0x0491)]
SIGNS = [(0x2010, 0x2027), (0x2030, 0x203A), (0x20AC, 0x20AC), (0x2103, 0x2103), (0x2116, 0x2122), (0x2190, 0x2199)]
SYMBOLS = [(0x2212, 0x2212), (0x2248, 0x2265), (0x2318, 0x2326), (0x25A0, 0x25CF), (0x2605, 0x2606), (0x2713, 0x2717)]
CHINESE_SIGNS = [(0x3000, 0x3017), (0xFF01, 0xFF5E), (0xFFE5, 0xFFE5), (0xFFFD, 0xFFFD)]

FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum"]
NAMES = {
    1: FAMILY,
    2: "Regular",
    3: "detrdesk Sans Regular, made from Noto Sans CJK SC 2.004",
    4: FAMILY,
    6: POSTSCRIPT_NAME,
}
KEPT_NAMES = {0, 5, 13, 14}
"""Copyright, version, licence text and its address."""


def characters() -> set[int]:
    """Every code point that the font is to have."""
    ranges = LATIN + GREEK_AND_CYRILLIC + SIGNS + SYMBOLS + CHINESE_SIGNS
    chosen = {point for first, last in ranges for point in range(first, last + 1)}
    return chosen | gb2312()


def gb2312() -> set[int]:
    """The code points of GB 2312: 6,763 Han characters and its signs."""
    cells = (bytes((row, cell)) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return {ord(text) for text in (cell.decode("gb2312", "ignore") for cell in cells) if text}


def make(source: Path, target: Path) -> None:
    """Write the subset of `source` to `target`, renamed as the OFL asks of a changed font."""
    font = TTFont(source, fontNumber=SIMPLIFIED_CHINESE, recalcTimestamp=False)
    cut = subset.Subsetter(_options())
    cut.populate(unicodes=characters())
    cut.subset(font)
    _rename(font)
    font.save(target)


def _options() -> subset.Options:
    options = subset.Options()
    options.hinting = False
    options.layout_features = FEATURES
    options.name_IDs = sorted(KEPT_NAMES | set(NAMES))
    options.name_languages = [0x409]
    options.drop_tables += ["BASE", "VORG", "vhea", "vmtx"]
    options.notdef_outline = True
    options.recalc_timestamp = False
    return options


def _rename(font: TTFont) -> None:
    names = font["name"]
    names.names = [record for record in names.names if record.nameID in KEPT_NAMES]
    for name_id, text in NAMES.items():
        names.setName(text, name_id, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [POSTSCRIPT_NAME]
    top[0].FullName = top[0].FamilyName = FAMILY


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make the bundled font.")
    parser.add_argument("source", nargs="?", type=Path, default=SOURCE, help="NotoSansCJK-Regular.ttc")
    source: Path = parser.parse_args().source
    if not source.is_file():
        parser.error(f"no font at {source}; install fonts-noto-cjk (apt-get install fonts-noto-cjk) or name the file")
    make(source, TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
