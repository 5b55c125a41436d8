"""TOML as people write it, changed table by table: every other line stays as it is."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_FIRST_KEY = re.compile(r"""^(\s*\[?[ \t]*)("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)""")
_VALUE = re.compile(r"[^=]*=[ \t]*(?=\S)")

_LONGEST = 300
"""Lines of a statement, from which on its end is no longer looked for."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One header, key with its value, comment or empty line.

    Attributes:
        line: Where it begins, from 1.
        text: All of it, with the end of its last line.
        table: The top-level table that it is of; empty for comments and empty lines that are not inside one.
        keys: The keys right in that table that it sets.
        is_header: Whether it begins a table.
        is_key: Whether it sets a key.
    """

    line: int
    text: str
    table: str = ""
    keys: frozenset[str] = frozenset()
    is_header: bool = False
    is_key: bool = False

    @property
    def column(self) -> int:
        """Where its value begins, or else its first sign, in its first line, from 1."""
        return _column(self.text, self.is_key)


def statements(text: str) -> list[Statement]:
    """The statements of a text that is TOML for certain."""
    found: list[Statement] = []
    inside: tuple[str, ...] = ()
    for line, part, parsed in _parts(text):
        if not parsed:
            found.append(Statement(line, part))
        elif part.lstrip().startswith("["):
            inside = _names(parsed)
            found.append(Statement(line, part, inside[0], frozenset(inside[1:2]), is_header=True))
        elif inside:
            keys = frozenset(inside[1:2] or parsed)
            found.append(Statement(line, part, inside[0], keys, is_key=True))
        else:
            name, value = next(iter(parsed.items()))
            keys = frozenset(value if isinstance(value, Mapping) else ())
            found.append(Statement(line, part, name, keys, is_key=True))
    return found


def unfinished(text: str) -> tuple[int, int]:
    """Line and column, from 1, of the statement that has no end: a string or list that nobody closed."""
    lines = _LINES.findall(text) or [""]
    done = sum(len(_LINES.findall(part)) for _, part, _ in _parts(text, _LONGEST))
    line = min(done, len(lines) - 1)
    return line + 1, _column(lines[line], is_key=True)


def position(text: str, table: str, key: str | None) -> tuple[int, int]:
    """Line and column, from 1, of a table, or of the value of a key in it."""
    own = [each for each in statements(text) if each.table == table]
    found = [each for each in own if key is not None and key in each.keys] or own
    return (found[0].line, found[0].column) if found else (1, 1)


def with_table(text: str, table: str, values: Mapping[str, object]) -> str:
    """A new table at the end."""
    import tomlkit

    document, made = tomlkit.document(), tomlkit.table()
    for key, value in values.items():
        made[key] = _item(value)
    document[table] = made
    before = text if not text or text.endswith("\n") else text + _line_end(text)
    return before + (_line_end(text) if before else "") + _ended(tomlkit.dumps(document), text)


def without_table(text: str, table: str) -> str:
    """A table less; the comments around it stay, those between its lines go with it."""
    kept: list[str] = []
    is_cut = False
    for each in _with_inner_comments(statements(text)):
        is_second_blank = is_cut and not each.text.strip() and not (kept and kept[-1].strip())
        is_cut = each.table == table or is_second_blank
        if not is_cut:
            kept.append(each.text)
    return "".join(kept)


def with_name(text: str, table: str, name: str) -> str:
    """A table under another name."""
    import tomlkit

    quoted = tomlkit.key(name).as_string()
    parts = []
    is_top = True
    for each in statements(text):
        is_top = is_top and not each.is_header
        named = each.table == table and (each.is_header or is_top)
        parts.append(_FIRST_KEY.sub(lambda found: found[1] + quoted, each.text, count=1) if named else each.text)
    return "".join(parts)


def with_values(text: str, table: str, values: Mapping[str, object]) -> str:
    """Other values in a table; `None` takes a key out."""
    import tomlkit

    def change(part: str) -> str:
        document = tomlkit.parse(part)
        made: Any = document[table]
        for key, value in values.items():
            if value is not None:
                made[key] = _item(value)
            elif key in made:
                del made[key]
        return _ended(tomlkit.dumps(document), text)

    return _replaced(text, table, change)


def _parts(text: str, longest: float = math.inf) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line, text and meaning of each statement, the fewest lines that are TOML for themselves; up to one too long."""
    part, begins = "", 1
    for line, each in enumerate(_LINES.findall(text), start=1):
        if line - begins >= longest:
            return
        part += each
        try:
            parsed = tomllib.loads(part)
        except tomllib.TOMLDecodeError:
            continue
        yield begins, part, parsed
        part, begins = "", line + 1


def _names(header: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in a header, from the outermost to the innermost table."""
    name, value = next(iter(header.items()))
    return (name, *_names(value)) if isinstance(value, Mapping) and value else (name,)


def _with_inner_comments(given: list[Statement]) -> list[Statement]:
    """Comments and empty lines between two statements of a table become the table's."""
    found = list(given)
    for at, each in enumerate(found):
        if each.table:
            continue
        after = next((later for later in found[at:] if later.table), None)
        before = found[at - 1] if at else None
        if before is not None and after is not None and after.is_key and before.table == after.table:
            found[at] = Statement(each.line, each.text, after.table)
    return found


def _replaced(text: str, table: str, change: Callable[[str], str]) -> str:
    """The stretch that begins with a table's header changed, or its first one where it has no header."""
    all_of_it = _with_inner_comments(statements(text))
    own = [at for at, each in enumerate(all_of_it) if each.table == table]
    first = next((at for at in own if all_of_it[at].is_header and not all_of_it[at].keys), own[0])
    end = first + 1
    while end < len(all_of_it) and all_of_it[end].table == table and not all_of_it[end].is_header:
        end += 1
    before, part, after = (
        "".join(each.text for each in some) for some in (all_of_it[:first], all_of_it[first:end], all_of_it[end:])
    )
    return before + change(part if part.endswith("\n") else part + _line_end(text)) + after


def _column(text: str, is_key: bool) -> int:
    """Where the value begins, or else the first sign, from 1."""
    value = _VALUE.match(text) if is_key else None
    return value.end() + 1 if value else len(text) - len(text.lstrip()) + 1


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _ended(part: str, text: str) -> str:
    """A part with the line ends of the whole."""
    return part.replace("\r\n", "\n").replace("\n", _line_end(text))


def _item(value: object) -> Any:
    """Windows paths in single quotes, so that they can be read."""
    import tomlkit

    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return tomlkit.string(value, literal=True)
    return tomlkit.item(value)
