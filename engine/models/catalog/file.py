"""Reading and in-place editing of `models.toml`; comments, order and unknown keys are kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.models.catalog.draft import Draft
from engine.models.catalog.entries import CatalogError, Contents, contents_of
from engine.paths import config_dir
from engine.storage.atomic import cannot_write
from engine.storage.lock import FileLock
from engine.storage.toml_file import Stamp, TomlFile, TomlSyntaxError, parse_toml

_BOM = "\ufeff"
_PATIENCE = 3.0
"""Seconds to wait for another program's change."""


class CatalogFile:
    """The file `models.toml`.

    Attributes:
        path: Its path; it need not exist.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_dir() / "models.toml"
        self._file = TomlFile(self.path)

    def stamp(self) -> Stamp:
        """Return a value that differs after every change of the file; takes a few microseconds."""
        return self._file.stamp()

    def read(self) -> Contents:
        """Read the models; empty if there is no file.

        Raises:
            CatalogError: the file cannot be read, or is not TOML; names line and column.
        """
        with self._errors():
            text = self._file.text().removeprefix(_BOM)
            return contents_of(text, parse_toml(text))

    @contextmanager
    def changing(self) -> Iterator[Draft]:
        """Lock the file and yield its models; write them when the block ends without an error.

        Raises:
            CatalogError: it is damaged, or cannot be edited without loss.
            WriteError: it cannot be written.
        """
        with self._locked():
            stamp = self.stamp()
            with self._errors():
                before = self._file.text()
                text = before.removeprefix(_BOM)
                draft = Draft(text)
            yield draft
            if draft.toml.text == text:
                return
            if not draft.toml.is_consistent():
                raise CatalogError(
                    "models_by_hand", "{path} is written in a way that only a person can change.", path=self.path
                )
            if self.stamp() != stamp:
                raise self._taken()
            self._file.write(before[: len(before) - len(text)] + draft.toml.text)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CatalogError(
                "models_unreadable",
                "{path} cannot be read: {reason}.",
                path=self.path,
                reason=error.strerror or str(error),
            ) from error
        except TomlSyntaxError as error:
            raise CatalogError(
                "models_broken",
                "models.toml, line {line}, column {column}: {reason}; "
                "mend it there, until then the models stay as they were.",
                line=error.line,
                column=error.column,
                reason=_in_plain_words(error.reason),
            ) from error

    def _taken(self) -> CatalogError:
        return CatalogError("models_taken", "Another program is changing {path}; try again.", path=self.path)

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


def _in_plain_words(reason: str) -> str:
    """Return the parser's message, reworded for the most frequent mistakes."""
    if "'\\'" in reason or "hex value" in reason:
        return "a path with backslashes is written in single quotes"
    if "'\\n'" in reason or "Unterminated" in reason or reason.startswith("Expected \"'"):
        return "a quote has no end"
    return reason
