"""Reading and changing `config.toml`; comments, order and other settings stay."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.settings import config_file
from engine.storage.toml_file import KeyPath, TomlDraft, TomlFile, TomlSyntaxError

SET_ASIDE = "settings_set_aside"
"""The code of the error that tells of a damaged file."""


class ConfigFile:
    """The settings in `config.toml`.

    Attributes:
        path: Its path; the file may not exist.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_file()
        self._file = TomlFile(self.path)

    def read(self) -> dict[str, Any]:
        """Return all tables; empty where there is no file.

        Raises:
            EngineError: It cannot be read; a damaged file was renamed.
        """
        return self._draft().data

    def write(self, changes: Mapping[KeyPath, object]) -> None:
        """Write these settings and keep all others; `None` deletes one.

        Raises:
            EngineError: It cannot be written; or, with the code `SET_ASIDE`, a damaged file was renamed and a new one
                written.
        """
        damaged: EngineError | None = None
        try:
            draft = self._draft()
        except EngineError as error:
            if error.code != SET_ASIDE:
                raise
            draft, damaged = TomlDraft(""), error
        draft.set(changes)
        self._make_folder()
        self._file.write(draft.text)
        if damaged is not None:
            raise damaged

    def _draft(self) -> TomlDraft:
        try:
            return TomlDraft(self._file.text())
        except OSError as error:
            raise self._unreadable(error) from error
        except TomlSyntaxError as error:
            raise self._set_aside(error) from error

    def _set_aside(self, reason: Exception) -> EngineError:
        """Rename the damaged file, and return the error that says so."""
        aside = _free(self.path.with_name(f"{self.path.name}.damaged-{datetime.date.today():%Y-%m-%d}"))
        try:
            self.path.rename(aside)
        except OSError:
            return self._unreadable(reason)
        return EngineError(
            SET_ASIDE,
            "The settings file is damaged ({reason}); it was set aside as {path}.",
            reason=reason,
            path=aside,
        )

    def _unreadable(self, reason: Exception) -> EngineError:
        told = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
        return EngineError("settings_unreadable", "{path} cannot be read: {reason}.", path=self.path, reason=told)

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(
                "cannot_write", "{path} cannot be written: {reason}.", path=self.path, reason=error.strerror or error
            ) from error


def _free(path: Path) -> Path:
    """Return this path, with a number appended if it exists."""
    number, free = 2, path
    while free.exists():
        number, free = number + 1, path.with_name(f"{path.name}-{number}")
    return free
