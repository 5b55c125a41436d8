"""Parsing and writing of class names (JSON, Python literals, lines); COCO's lists."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engine.detect.same_name import same_name
from engine.paths import resource

MOST_BYTES = 1024 * 1024
MOST_CLASSES = 20_000
LONGEST_NAME = 200
SHARED_LISTS = ("coco-80", "coco-91")
"""COCO's 80 classes in order, and its 91 category ids with `N/A` for unused ids."""

_NUMBERED = re.compile(r"(\d+)\s*[:,\s]\s*(\S.*)")
_NAMELESS = re.compile(r"(LABEL_|class )\d+")


def shared_list(name: str) -> tuple[str, ...]:
    """Return one of `SHARED_LISTS`."""
    return tuple(resource("classes", f"{name}.txt").read_text("utf-8").split("\n")[:-1])


def numbered(label_ids: Iterable[int]) -> dict[int, str]:
    """Return placeholder names (`class 0`, ...) for classes of which only the ids are known."""
    return {label_id: f"class {label_id}" for label_id in label_ids}


def read_names(path: Path) -> dict[int, str]:
    """Read class names by label id from a text file.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds no class names.
    """
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("too large for class names")
    return parse_names(content.decode("utf-8-sig"))


def parse_names(text: str) -> dict[int, str]:
    """Parse class names by label id from JSON, a Python literal, lines (numbered or not), or one line with commas.

    Raises:
        ValueError: it holds no class names.
    """
    if text.lstrip()[:1] in ("{", "["):
        return names_in(_literal(text))
    if text.strip().isdigit():
        raise ValueError("a number of classes, not their names")
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if len(lines) == 1 and "," in lines[0]:
        return names_in([name.strip() for name in lines[0].split(",")])
    matches = [_NUMBERED.fullmatch(line) for line in lines]
    if len({match[1] for match in matches if match}) == len(lines):
        return names_in({match[1]: match[2] for match in matches if match})
    return names_in(lines)


def names_in(value: object) -> dict[int, str]:
    """Return class names by label id from a list, or from a mapping of ids to names or names to ids.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, list | tuple):
        value = dict(enumerate(value))
    if not isinstance(value, Mapping) or not 0 < len(value) <= MOST_CLASSES:
        raise ValueError("neither a list nor a table of class names")
    if all(isinstance(number, int) for number in value.values()):
        value = {number: name for name, number in value.items()}
    names = {_label_id(key): _line(name) for key, name in value.items()}
    if min(names) < 0 or max(names) >= MOST_CLASSES or not any(names.values()):
        raise ValueError("no names, or label ids that no model has")
    return {label_id: name or f"class {label_id}" for label_id, name in sorted(names.items())}


def are_nameless(names: Mapping[int, str]) -> bool:
    """Return whether all names are placeholders such as `LABEL_0` or plain numbers."""
    return all(_NAMELESS.fullmatch(name) for name in names.values())


def as_lines(names: Sequence[str]) -> str:
    """Format names as text, one name per line, in the order of the label ids.

    Raises:
        ValueError: there are none, or too many.
    """
    return "".join(f"{name}\n" for name in names_in(names).values())


def _literal(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip())
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("neither JSON nor a Python literal") from error


def _label_id(key: object) -> int:
    if not isinstance(key, int | str):
        raise ValueError("a label id is no number")
    return int(key)


def _line(name: object) -> str:
    if not isinstance(name, int | float | str):
        raise ValueError("a class name is no text")
    line = same_name(" ".join(str(name).split()))
    if len(line) > LONGEST_NAME:
        raise ValueError("a class name is too long")
    return line
