"""`config.toml` as the window changes it: the user's comments, order and other settings stay."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.settings import config_file
from engine.storage.atomic import write_atomic

SettingPath = tuple[str, ...]
"""The tables a setting lies in, and its name: `("window", "keys", "nextImage")`."""

SET_ASIDE = "settings_set_aside"
"""The code of the error that tells of a damaged file."""


class ConfigFile:
    """Read and written as a whole each time, so that what was edited by hand meanwhile is kept.

    Attributes:
        path: Where it is, or would be.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_file()

    def read(self) -> dict[str, Any]:
        """Everything in it; empty where there is none.

        Raises:
            EngineError: it cannot be read; where it is damaged, it was set aside.
        """
        return tomllib.loads(self._text())

    def write(self, changes: Mapping[SettingPath, object]) -> None:
        """Change these settings and no others; `None` takes one out.

        Raises:
            EngineError: it cannot be written; or (code `SET_ASIDE`) it was, anew, as the former one is damaged.
        """
        import tomlkit

        damaged: EngineError | None = None
        try:
            text = self._text()
        except EngineError as error:
            if error.code != SET_ASIDE:
                raise
            text, damaged = "", error
        document = tomlkit.parse(text)
        for path, value in changes.items():
            _put(document, path, value)
        self._make_folder()
        write_atomic(self.path.resolve(), tomlkit.dumps(document).encode())
        if damaged is not None:
            raise damaged

    def _text(self) -> str:
        """What it says, which is TOML for certain."""
        try:
            text = self.path.read_bytes().decode()
            tomllib.loads(text)
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._unreadable(error) from error
        except (ValueError, RecursionError) as error:
            raise self._set_aside(error) from error
        return text

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


def _put(document: MutableMapping[str, Any], path: SettingPath, value: object) -> None:
    *tables, name = path
    table = document
    for each in tables:
        if not isinstance(table.get(each), MutableMapping):
            table[each] = {}
        table = table[each]
    if value is None:
        table.pop(name, None)
    else:
        table[name] = value


def _free(path: Path) -> Path:
    """This path, or with a number behind it where something is there already."""
    number, free = 2, path
    while free.exists():
        number, free = number + 1, path.with_name(f"{path.name}-{number}")
    return free
