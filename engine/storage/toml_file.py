"""TOML files that people edit too: a change keeps their comments, order, line ends and unknown keys."""

from __future__ import annotations

import errno
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.storage.atomic import write_atomic

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item, Key

KeyPath = tuple[str, ...]
"""The tables that a key lies in, and the key: `("window", "keys", "nextImage")`."""

Stamp = tuple[object, ...]

_MAX_BYTES = 2**20
_MAX_STATEMENT_LINES = 300
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_BARE_LF = re.compile(r"(?<!\r)\n")
_AT = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")
_KEY = re.compile(r"[^=]*=[ \t]*(?=\S)")
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\r?\n)+")


class TomlSyntaxError(ValueError):
    """A file that is not TOML.

    Attributes:
        line, column: Position of the mistake, from 1.
        reason: The parser's message without the position.
    """

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(f"{reason} (at line {line}, column {column})")
        self.line = line
        self.column = column
        self.reason = reason


class TomlFile:
    """One file, read and written as a whole each time, so that what was edited by hand meanwhile is kept.

    Attributes:
        path: Where it is, or would be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> Stamp:
        """Return a value that differs after every change of the file; takes a few microseconds."""
        try:
            stat = self.path.stat()
        except OSError as error:
            return (error.errno,)
        return (stat.st_ino, stat.st_size, stat.st_mtime_ns)

    def text(self) -> str:
        """Return its text; empty where there is no file.

        Raises:
            OSError: it cannot be read, or is larger than 1 MiB.
            TomlSyntaxError: it is not UTF-8.
        """
        try:
            with self.path.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return ""
        if len(content) > _MAX_BYTES:
            raise OSError(errno.EFBIG, "it has more than a million bytes")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            before = content[: error.start]
            line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
            raise TomlSyntaxError(line, column, "the file is not saved as UTF-8") from error

    def write(self, text: str) -> None:
        """Replace the file, or the file that it links to, atomically.

        Raises:
            WriteError: it cannot be written; the former file is kept.
        """
        write_atomic(self.path.resolve(), text.encode())


class TomlDraft:
    """A TOML text while it is changed.

    Attributes:
        text: The text so far.
        data: What it has to mean; changed beside it, so that `is_consistent` can compare the two.
    """

    def __init__(self, text: str) -> None:
        """Parse a text.

        Raises:
            TomlSyntaxError: it is not TOML.
        """
        self.text = text
        self.data = parse_toml(text)

    def set(self, changes: Mapping[KeyPath, object]) -> None:
        """Set keys, making their tables where needed; `None` deletes a key."""
        with self._document() as document:
            for path, value in changes.items():
                _put(document, path, None if value is None else _item(value))
                _put(self.data, path, value)

    def add_table(self, name: str, values: Mapping[str, object]) -> None:
        """Append a table."""
        import tomlkit

        document, table = tomlkit.document(), tomlkit.table()
        for key, value in values.items():
            table[key] = _item(value)
        document[name] = table
        end = _line_end(self.text)
        before = self.text if not self.text or self.text.endswith("\n") else self.text + end
        separator = end if before else ""
        self.text = before + separator + tomlkit.dumps(document).replace("\n", end)
        self.data[name] = dict(values)

    def remove_table(self, name: str) -> None:
        """Delete a table with the comments inside it; comments before and after it stay."""
        former = self.text
        with self._document() as document:
            for at, (key, item) in reversed(list(enumerate(document.body))):
                if key is not None and key.key == name:
                    document.body[at : at + 1] = _comments_after(item)
        kept = _common_lines(former, self.text)
        if not kept or not kept.splitlines()[-1].strip():
            self.text = kept + _BLANK_LINES.sub("", self.text[len(kept) :], count=1)
        del self.data[name]

    def rename_table(self, name: str, new: str) -> None:
        """Rename a table in place."""
        from tomlkit.items import AoT, SingleKey, Table

        with self._document() as document:
            for at, (key, item) in enumerate(document.body):
                if key is not None and key.key == name:
                    renamed = SingleKey(new, sep=key.sep)
                    renamed._dotted = key.is_dotted()
                    document.body[at] = (renamed, item)
                    if isinstance(item, AoT | Table):
                        item.invalidate_display_name()
        self.data[new] = self.data.pop(name)

    def is_consistent(self) -> bool:
        """Return whether the text means `data`; compared as JSON, since `nan` does not equal itself."""
        try:
            written = tomllib.loads(self.text)
        except ValueError:
            return False
        said, meant = (json.dumps(each, sort_keys=True, default=str) for each in (written, self.data))
        return said == meant

    @contextmanager
    def _document(self) -> Iterator[TOMLDocument]:
        """Yield the text as a document; what it says when the block ends is the text."""
        import tomlkit

        document = tomlkit.parse(self.text)
        yield document
        changed = tomlkit.dumps(document)
        has_crlf = "\r\n" in self.text and not _BARE_LF.search(self.text)
        self.text = _BARE_LF.sub("\r\n", changed) if has_crlf else changed


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a text.

    Raises:
        TomlSyntaxError: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        message = str(error)
        found = _AT.fullmatch(message)
        if found:
            raise TomlSyntaxError(int(found[2]), int(found[3]), found[1]) from error
        line, column = _unfinished_statement(text)
        raise TomlSyntaxError(line, column, message.removesuffix(" (at end of document)")) from error


def position(text: str, table: str, key: str | None) -> tuple[int, int]:
    """Return line and column, from 1, of the value of a key, or of a table where the key is `None` or not in it."""
    try:
        parts = _top_level_parts(text)
    except ValueError:  # tomlkit is stricter than tomllib
        return 1, 1
    own = [(offset, part) for name, offset, part in parts if name == table]
    for offset, part in own:
        value = parse_toml(part)[table]
        if key is not None and isinstance(value, Mapping) and key in value:
            return _line_and_column(text, offset + min(_difference(part, table, key, mark) for mark in (True, False)))
    offset, part = own[0] if own else (0, "")
    return _line_and_column(text, offset + len(part) - len(part.lstrip()))


@lru_cache(maxsize=1)
def _top_level_parts(text: str) -> list[tuple[str, int, str]]:
    """Name, offset and text of each table and key at the top level."""
    import tomlkit

    parts, offset = [], 0
    for key, item in tomlkit.parse(text).body:
        single = tomlkit.document()
        single.body.append((key, item))
        part = single.as_string()
        if key is not None:
            parts.append((key.key, offset, part))
        offset += len(part)
    return parts


def _difference(text: str, table: str, key: str, mark: bool) -> int:
    """Return the offset at which setting this key changes the text: where its value begins."""
    import tomlkit

    document: Any = tomlkit.parse(text)
    document[table][key] = mark
    return len(_common_start(text, tomlkit.dumps(document)))


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _common_lines(one: str, other: str) -> str:
    """The lines with which both texts begin."""
    common = _common_start(one, other)
    return common[: common.rfind("\n") + 1]


def _common_start(one: str, other: str) -> str:
    return os.path.commonprefix([one, other])  # noqa: RUF071 (texts, not paths)


def _comments_after(item: Item) -> list[tuple[Key | None, Item]]:
    """The comments and blank lines behind the last key of a table."""
    from tomlkit.items import AoT, Comment, Table, Whitespace

    if isinstance(item, AoT):
        return _comments_after(item.body[-1])
    if not isinstance(item, Table):
        return []
    body = item.value.body
    end = len(body)
    while end and isinstance(body[end - 1][1], Comment | Whitespace):
        end -= 1
    return [*(_comments_after(body[end - 1][1]) if end else []), *body[end:]]


def _put(table: MutableMapping[str, Any], path: KeyPath, value: object) -> None:
    *tables, key = path
    for each in tables:
        if not isinstance(table.get(each), MutableMapping):
            table[each] = {}
        table = table[each]
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _item(value: object) -> Item:
    """Windows paths in single quotes, so that they can be read."""
    import tomlkit

    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return tomlkit.string(value, literal=True)
    return tomlkit.item(value)


def _unfinished_statement(text: str) -> tuple[int, int]:
    """Line and column, from 1, of the value that has no end: a string or list that nobody closed."""
    lines = _LINES.findall(text) or [""]
    part, begin = "", 0
    for at, line in enumerate(lines):
        if at - begin >= _MAX_STATEMENT_LINES:
            break
        part += line
        try:
            tomllib.loads(part)
        except ValueError:
            continue
        part, begin = "", at + 1
    begin = min(begin, len(lines) - 1)
    value = _KEY.match(lines[begin])
    return begin + 1, value.end() + 1 if value else len(lines[begin]) - len(lines[begin].lstrip()) + 1


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
