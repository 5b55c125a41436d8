"""Holding and saving preferences and settings: the window's table in `config.toml`, and the engine's settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from PyQt5.QtCore import QObject, pyqtSignal

from desktop.settings.config_file import ConfigFile
from desktop.state.preferences import Preferences
from engine.errors import EngineError
from engine.settings import Settings
from engine.storage.toml_file import KeyPath

TABLE = "window"


class PreferenceStore(QObject):
    """Holds the preferences and settings, and saves changes; one that cannot be saved applies until the window closes.

    Attributes:
        value: The window's preferences.
        settings: The engine's settings.
        problem: Why parts of the file could not be used; reported by whoever makes the store.

    Signals:
        changed(Preferences): The preferences have changed.
        settings_changed(Settings): The settings have changed.
        failed(EngineError): A change could not be saved.
    """

    changed = pyqtSignal(object)
    settings_changed = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, file: ConfigFile | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = file or ConfigFile()
        self.settings = Settings.model_construct()
        self.value, self.problem = _read(self._file)

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self._file.path

    def change(self, **changes: Any) -> None:
        """Change fields of `Preferences`, and save them."""
        former, self.value = self.value, replace(self.value, **changes)
        different = _differences(former, self.value)
        if different:
            self.changed.emit(self.value)
            self._keep(different)

    def change_settings(self, **changes: Any) -> None:
        """Change fields of `Settings` to valid values, and save them."""
        different: dict[KeyPath, object] = {
            (name,): value for name, value in changes.items() if value != getattr(self.settings, name)
        }
        if different:
            self.settings = self.settings.model_copy(update=changes)
            self.settings_changed.emit(self.settings)
            self._keep(different)

    def _keep(self, changes: Mapping[KeyPath, object]) -> None:
        try:
            self._file.write(changes)
        except EngineError as error:
            self.failed.emit(error)


def _read(file: ConfigFile) -> tuple[Preferences, EngineError | None]:
    """Return the preferences in the file, with defaults in place of unusable values, and the error."""
    try:
        table = file.read().get(TABLE, {})
    except EngineError as error:
        return Preferences(), error
    adapter = TypeAdapter(Preferences)
    try:
        return adapter.validate_python(table), None
    except ValidationError as error:
        wrong = error.errors()[0]
        faulty = {each["loc"][0] for each in error.errors() if each["loc"]}
        usable = {name: value for name, value in table.items() if name not in faulty} if faulty else {}
        problem = EngineError(
            "setting_invalid",
            "The setting {setting} cannot be used: {reason}.",
            setting=".".join(str(part) for part in (TABLE, *wrong["loc"])),
            reason=wrong["msg"],
        )
        return adapter.validate_python(usable), problem


def _differences(former: Preferences, now: Preferences) -> dict[KeyPath, object]:
    """Return what to write into the file; keys of actions one by one, so that comments between them stay."""
    different: dict[KeyPath, object] = {}
    for each in dataclasses.fields(Preferences):
        before, after = getattr(former, each.name), getattr(now, each.name)
        if before == after:
            continue
        if isinstance(after, Mapping):
            for name in sorted({*before, *after}):
                if before.get(name) != after.get(name):
                    different[TABLE, each.name, name] = _as_toml(after.get(name))
        else:
            different[TABLE, each.name] = _as_toml(after)
    return different


def _as_toml(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value
