"""`models.toml`: read whole, changed in place; the user's comments, order and own keys stay."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.models.catalog.draft import Draft
from engine.models.catalog.entries import CatalogError, Contents, contents_of
from engine.models.catalog.toml_text import unfinished
from engine.paths import config_dir
from engine.storage.atomic import cannot_write, write_atomic
from engine.storage.lock import FileLock

Stamp = tuple[object, ...]

_BOM = "\ufeff"
_LONGEST = 2**20
"""Bytes; a catalog of 1,000 models has 100,000."""
_PATIENCE = 3.0
"""Seconds that another program's change is waited for."""
_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")


class CatalogFile:
    """The file, read and written as a whole each time, so that what was edited by hand meanwhile is kept.

    Attributes:
        path: Where it is, or would be.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_dir() / "models.toml"

    def stamp(self) -> Stamp:
        """Another value where the file is another one; costs a few microseconds."""
        try:
            stat = self.path.stat()
        except OSError as error:
            return (error.errno,)
        return (stat.st_ino, stat.st_size, stat.st_mtime_ns)

    def read(self) -> Contents:
        """The models in it; none where there is no file.

        Raises:
            CatalogError: it cannot be read, or is no TOML; names line and column.
        """
        text = self._text().removeprefix(_BOM)
        return contents_of(text, _parsed(text))

    @contextmanager
    def changing(self) -> Iterator[Draft]:
        """The file as it is now, to be changed; written when the block ends well, while no other program changes it.

        Raises:
            CatalogError: it is damaged, so that it has to be mended first; or it cannot be changed without harm.
            WriteError: it cannot be written.
        """
        with self._locked():
            stamp, before = self.stamp(), self._text()
            mark = _BOM if before.startswith(_BOM) else ""
            text = before.removeprefix(_BOM)
            draft = Draft(text, _parsed(text))
            yield draft
            if draft.text == text:
                return
            if not draft.is_right():
                raise CatalogError(
                    "models_by_hand", "{path} is written in a way that only a person can change.", path=self.path
                )
            if self.stamp() != stamp:
                raise self._taken()
            write_atomic(self.path.resolve(), (mark + draft.text).encode())

    def _text(self) -> str:
        try:
            with self.path.open("rb") as file:
                content = file.read(_LONGEST + 1)
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error
        if len(content) > _LONGEST:
            raise self._unreadable("it has more than a million bytes")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            before = content[: error.start]
            line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
            raise _broken(line, column, "the file is not saved as UTF-8") from error

    def _taken(self) -> CatalogError:
        return CatalogError("models_taken", "Another program is changing {path}; try again.", path=self.path)

    def _unreadable(self, reason: str) -> CatalogError:
        return CatalogError("models_unreadable", "{path} cannot be read: {reason}.", path=self.path, reason=reason)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path = self.path.with_name(f"{self.path.name}.lock")
        until = time.monotonic() + _PATIENCE
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            while (lock := FileLock.take(path)) is None and time.monotonic() < until:
                time.sleep(0.01)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        if lock is None:
            raise self._taken()
        try:
            yield
        finally:
            lock.release()


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unparsable(text, str(error)) from error


def _unparsable(text: str, told: str) -> CatalogError:
    """What the parser says; the most frequent mistakes in words of ours."""
    found = _PLACE.fullmatch(told)
    line, column = (int(found[2]), int(found[3])) if found else unfinished(text)
    if "'\\'" in told or "hex value" in told:
        return _broken(line, column, "a path with backslashes is written in single quotes")
    if "'\\n'" in told or "Unterminated" in told or told.startswith("Expected \"'"):
        return _broken(line, column, "a quote has no end")
    return _broken(line, column, found[1] if found else told.removesuffix(" (at end of document)"))


def _broken(line: int, column: int, reason: str) -> CatalogError:
    return CatalogError(
        "models_broken",
        "models.toml, line {line}, column {column}: {reason}; mend it there, until then the models stay as they were.",
        line=line,
        column=column,
        reason=reason,
    )
