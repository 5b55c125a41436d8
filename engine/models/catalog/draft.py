"""A changed, not yet written `models.toml`."""

from __future__ import annotations

from collections.abc import Mapping

from engine.detect.precision import F32, Precision
from engine.models.catalog.entries import Contents, contents_of, default_values
from engine.models.catalog.entry import Defaults, normal
from engine.storage.toml_file import TomlDraft


class Draft:
    """Edits of the text of `models.toml` by model name."""

    def __init__(self, text: str) -> None:
        self.toml = TomlDraft(text)

    @property
    def names(self) -> frozenset[str]:
        """Every name in the file, including those of invalid entries."""
        return frozenset(map(normal, self.toml.data))

    def contents(self) -> Contents:
        """Parse the models."""
        return contents_of(self.toml.text, self.toml.data)

    def add(self, name: str, values: Mapping[str, object]) -> None:
        """Append a model."""
        self.toml.add_table(name, values)

    def remove(self, name: str) -> None:
        """Delete a model."""
        self.toml.remove_table(self._key(name))

    def rename(self, name: str, new: str) -> None:
        """Rename a model."""
        self.toml.rename_table(self._key(name), new)

    def change(self, name: str, values: Mapping[str, object]) -> None:
        """Set values of a model; `None` deletes a key."""
        key = self._key(name)
        self.toml.set({(key, each): value for each, value in values.items()})

    def set_defaults(self, name: str, defaults: Defaults) -> None:
        """Set a model's default filter; values that stay the same keep their spelling."""
        entry = self.contents().entries.get(name)
        values, former = default_values(defaults), default_values(entry.defaults if entry else Defaults())
        different = {key: value for key, value in values.items() if value != former[key]}
        if name in self.names:
            self.change(name, different if entry else values)
        elif different:
            self.add(name, different)

    def set_precision(self, name: str, precision: Precision) -> None:
        """Set the precision of a model; f32 is the default and not written."""
        value = None if precision == F32 else precision
        if name in self.names:
            self.change(name, {"precision": value})
        elif value is not None:
            self.add(name, {"precision": value})

    def _key(self, name: str) -> str:
        """Return the name in the Unicode normal form used in the file."""
        return name if name in self.toml.data else next(key for key in self.toml.data if normal(key) == name)
