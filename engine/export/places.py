"""Where each image of an export lies below the common folder, and what its files are called."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from engine.image.source import Source

LONGEST = 200
"""Bytes of a file name before its ending: file systems take 255 with it."""

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """How an export calls an image.

    Attributes:
        file_name: The image's path below the common folder, with `/`; its whole path where there is no such folder;
            a safe name of its own for an image without a file.
        stem: Path without an ending, with `/`, for the files that are written about it; no other image of the export
            has it, whether capitals count or not.
    """

    file_name: str
    stem: str


def places_of(sources: Sequence[Source]) -> list[Place]:
    """A place for each source, in the same order.

    Images with the same stem (`a.jpg`, `a.png`, two pasted ones) are numbered: `a`, `a_2`.
    """
    paths = [_absolute(source) for source in sources]
    folder = common_folder(path for path in paths if path is not None)
    below = [path.relative_to(folder).as_posix() if path and folder else None for path in paths]
    names = [rel or safe_name(source.name) for rel, source in zip(below, sources, strict=True)]
    stems = _unique([_stem(name) for name in names])
    file_names = [
        rel or (path.as_posix() if path else stem + PurePath(name).suffix)
        for rel, path, stem, name in zip(below, paths, stems, names, strict=True)
    ]
    return [Place(file_name, stem) for file_name, stem in zip(file_names, stems, strict=True)]


def common_folder(paths: Iterable[Path]) -> Path | None:
    """The deepest folder that all of these absolute paths of files lie in; `None` where that is only a drive's root."""
    parents = {path.parent for path in paths}
    try:
        folder = Path(os.path.commonpath(parents))
    except ValueError:
        return None
    return folder if folder != Path(folder.anchor) or parents == {folder} else None


def safe_name(text: str, fallback: str = "image", longest: int = LONGEST) -> str:
    """`text` as a part of a path that every file system takes, Chinese kept.

    Args:
        text: A label, or the name of an image.
        fallback: What it is called where nothing is left.
        longest: Bytes that the name may have.
    """
    legible = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    name = _UNSAFE.sub("_", legible).strip(" .") or fallback
    return _shortened(f"_{name}" if _RESERVED.fullmatch(name) else name, longest)


def _absolute(source: Source) -> Path | None:
    return Path(os.path.abspath(source.location)) if source.kind == "path" else None  # noqa: PTH100 (links stay)


def _stem(name: str) -> str:
    parent, slash, last = name.rpartition("/")
    return parent + slash + _shortened(last.removesuffix(PurePath(last).suffix), LONGEST)


def _shortened(name: str, longest: int) -> str:
    encoded = os.fsencode(name)
    return name if len(encoded) <= longest else encoded[:longest].decode("utf-8", "ignore").strip(" .")


def _unique(stems: Sequence[str]) -> list[str]:
    """Numbers for those that come again; a number never takes the name of another image."""
    wanted, taken = {stem.casefold() for stem in stems}, set[str]()
    free: dict[str, int] = {}
    unique = []
    for stem in stems:
        name, key = stem, stem.casefold()
        while name.casefold() in taken or (name != stem and name.casefold() in wanted):
            free[key] = free.get(key, 1) + 1
            name = f"{stem}_{free[key]}"
        taken.add(name.casefold())
        unique.append(name)
    return unique
