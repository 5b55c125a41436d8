"""Reading of text files that list images, one URL or path per line."""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass

from engine.errors import SourceError
from engine.image.formats import IMAGE_SUFFIXES
from engine.image.limits import MEBIBYTE

LIST_SUFFIXES = frozenset({".txt", ".lst"})
"""Lower-case suffixes of files that are read as lists."""

_MOST_BYTES = 16 * MEBIBYTE
_LONGEST_LINE = 8_192
_MOST_TRIED = 1_000
"""Lines by which the folder of relative paths is chosen."""
_QUOTED = re.compile(r"""(["'])(.+?)\1(?=$|[\s,;|])""")
_DESCRIBED = re.compile(
    r"(.*?(?:" + "|".join(map(re.escape, sorted(IMAGE_SUFFIXES, key=len, reverse=True))) + r"))\s*[\s,;|]",
    re.IGNORECASE,
)
"""A path, with blanks in it or not, and the first sign of what stands behind it."""
_ADDRESS = re.compile(r"(https?|file)://", re.IGNORECASE)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SUFFIXES = tuple(IMAGE_SUFFIXES)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """What a list names.

    Attributes:
        entries: URLs, and paths that are made whole.
        passed_over: How many lines name no image; blank lines and comments are not counted.
    """

    entries: list[str]
    passed_over: int


def read_list(path: str, name: str) -> ListedFile:
    """Read the URLs and paths in a file, as people and the tools that train models write them.

    Behind a path or URL there may be boxes or labels, around it quotes, and its backslashes may be those of Windows.
    Relative paths start where most of them exist: in the folder of the list, the folder above, or the working folder.
    Blank lines and lines that begin with # are comments.

    Args:
        path: The file.
        name: Its name for error messages.

    Raises:
        SourceError: `list_not_readable`, `list_too_large`, or `list_empty` for a file that names no image.
    """
    lines = [line.strip() for line in _text(_read(path, name)).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    base = _base(lines, os.path.dirname(os.path.abspath(path)))  # noqa: PTH100, PTH120
    found = [entry for entry in (_entry(line, base) for line in lines) if entry]
    if not found:
        raise SourceError(
            "list_empty", "{name} names no images; it needs one URL or path of an image on each line.", name=name
        )
    return ListedFile(found, len(lines) - len(found))


def _read(path: str, name: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(
            "list_not_readable", "The list {name} cannot be read; check its permissions and its disk.", name=name
        ) from error
    if len(content) > _MOST_BYTES:
        limit = f"{_MOST_BYTES / MEBIBYTE:g}"
        message = "The list {name} is larger than {limit} MiB; split it."
        raise SourceError("list_too_large", message, name=name, limit=limit)
    return content


def _text(content: bytes) -> str:
    """Decode text: UTF-16 with a byte order mark, else UTF-8, else GB 18030 (a superset of GBK)."""
    if content.startswith(_UTF16_MARKS):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def _base(lines: list[str], folder: str) -> str:
    """The folder in which most of some lines' relative paths exist; that of the list where none does better."""
    sample = [line for line in lines[:: 1 + len(lines) // _MOST_TRIED] if len(line) <= _LONGEST_LINE]

    def found_in(base: str) -> int:
        return sum(any(map(os.path.exists, _paths(line, base))) for line in sample)

    return max(dict.fromkeys((folder, os.path.dirname(folder), os.getcwd())), key=found_in)  # noqa: PTH109, PTH120


def _entry(line: str, base: str) -> str | None:
    """The URL or the path that a line names; of several readings the first that exists, else the likeliest."""
    if len(line) > _LONGEST_LINE or "\0" in line:
        return None
    named = _readings(line)[-1]
    if _ADDRESS.match(named):
        return named.split()[0]
    paths = _paths(line, base)
    if len(paths) == 1 and line.lower().endswith(_SUFFIXES):
        return paths[0]
    for path in paths:
        if os.path.exists(path):  # noqa: PTH110
            return path
    return next((path for path in reversed(paths) if path.lower().endswith(_SUFFIXES)), None)


def _paths(line: str, base: str) -> list[str]:
    readings = _readings(line)
    if os.sep == "/":
        readings = [*readings, *(each.replace("\\", "/") for each in readings if "\\" in each)]
    return [os.path.join(base, os.path.expanduser(each)) for each in readings]  # noqa: PTH111, PTH118


def _readings(line: str) -> list[str]:
    """What a line may name: itself, and what is in its quotes or before its boxes or labels."""
    quoted = _QUOTED.match(line)
    if quoted:
        return [quoted[2].strip()]
    line = line.strip('"')
    described = _DESCRIBED.match(line)
    return [line, described[1]] if described else [line]
