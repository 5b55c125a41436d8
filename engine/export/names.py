"""File names of the images of an export."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from engine.image.source import Source

LONGEST = 200
"""Longest file name without its ending, bytes; file systems allow 255 with it."""

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExportName:
    """The names of an image in an export.

    Attributes:
        file_name: The image's path relative to the common folder, with `/`; its absolute path if there is no common
            folder; a safe name for an image without a file.
        stem: Relative path without an ending, with `/`, of the files written for the image; unique in the export,
            also where file names are case-insensitive.
    """

    file_name: str
    stem: str


def export_names(sources: Sequence[Source]) -> list[ExportName]:
    """Name each source, in the same order.

    Images with the same stem (`a.jpg`, `a.png`, two pasted ones) are numbered: `a`, `a_2`.
    """
    paths = [_absolute(source) for source in sources]
    folder = common_folder(path for path in paths if path is not None)
    relative = [path.relative_to(folder).as_posix() if path and folder else None for path in paths]
    names = [rel or safe_name(source.name) for rel, source in zip(relative, sources, strict=True)]
    stems = _unique([_stem(name) for name in names])
    file_names = [
        rel or (path.as_posix() if path else stem + PurePath(name).suffix)
        for rel, path, stem, name in zip(relative, paths, stems, names, strict=True)
    ]
    return [ExportName(file_name, stem) for file_name, stem in zip(file_names, stems, strict=True)]


def common_folder(paths: Iterable[Path]) -> Path | None:
    """Return the deepest folder that contains all these absolute file paths.

    `None` if there is none, or only the root of a drive that does not itself hold all the files.
    """
    parents = {path.parent for path in paths}
    try:
        folder = Path(os.path.commonpath(parents))
    except ValueError:
        return None
    return folder if folder != Path(folder.anchor) or parents == {folder} else None


def safe_name(text: str, fallback: str = "image", longest: int = LONGEST) -> str:
    """Turn text into a file name that is valid on every file system; non-ASCII letters are kept.

    Args:
        text: A label, or the name of an image.
        fallback: The name to use if no character is left.
        longest: Longest name, bytes.
    """
    normal = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    name = _UNSAFE.sub("_", normal).strip(" .") or fallback
    return _shortened(f"_{name}" if _RESERVED.fullmatch(name) else name, longest)


def _absolute(source: Source) -> Path | None:
    return Path(os.path.abspath(source.location)) if source.kind == "path" else None  # noqa: PTH100 (keeps symbolic links)


def _stem(name: str) -> str:
    parent, slash, last = name.rpartition("/")
    return parent + slash + _shortened(last.removesuffix(PurePath(last).suffix), LONGEST)


def _shortened(name: str, longest: int) -> str:
    encoded = os.fsencode(name)
    return name if len(encoded) <= longest else encoded[:longest].decode("utf-8", "ignore").strip(" .")


def _folded(name: str) -> str:
    """What two names share that are one on some file system."""
    return unicodedata.normalize("NFC", name).casefold()


def _unique(stems: Sequence[str]) -> list[str]:
    """Number repeated stems; a numbered stem never equals that of another image."""
    wanted, taken = set(map(_folded, stems)), set[str]()
    free: dict[str, int] = {}
    unique = []
    for stem in stems:
        name, key = stem, _folded(stem)
        while _folded(name) in taken or (name != stem and _folded(name) in wanted):
            free[key] = free.get(key, 1) + 1
            name = f"{stem}_{free[key]}"
        taken.add(_folded(name))
        unique.append(name)
    return unique
