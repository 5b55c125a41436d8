"""`config.toml` as the window changes it: the user's comments, order and other settings stay."""

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
        path: Where it is, or would be.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_file()
        self._file = TomlFile(self.path)

    def read(self) -> dict[str, Any]:
        """Read everything in it; empty where there is none.

        Raises:
            EngineError: it cannot be read; where it is damaged, it was set aside.
        """
        return self._draft().data

    def write(self, changes: Mapping[KeyPath, object]) -> None:
        """Change these settings and no others; `None` deletes one.

        Raises:
            EngineError: it cannot be written; or (code `SET_ASIDE`) it was, anew, as the former one is damaged.
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
        """Take the damaged file out of the way; what to tell about it."""
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
    """This path, or with a number behind it where something is there already."""
    number, free = 2, path
    while free.exists():
        number, free = number + 1, path.with_name(f"{path.name}-{number}")
    return free
