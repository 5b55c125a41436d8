"""`models.toml` while it is changed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from engine.detect.precision import F32, Precision
from engine.models.catalog.entries import Contents, contents_of, default_values
from engine.models.catalog.entry import Defaults, normal
from engine.models.catalog.toml_text import with_name, with_table, with_values, without_table


class Draft:
    """The file while it is changed; holds text and meaning side by side, so that one proves the other."""

    def __init__(self, text: str, data: dict[str, Any]) -> None:
        self.text = text
        self.data = data

    @property
    def names(self) -> frozenset[str]:
        """Every name in the file, those that cannot be used too."""
        return frozenset(map(normal, self.data))

    def contents(self) -> Contents:
        """The models in it."""
        return contents_of(self.text, self.data)

    def add(self, name: str, values: Mapping[str, object]) -> None:
        """Put a table at the end."""
        self.text = with_table(self.text, name, values)
        self.data[name] = dict(values)

    def remove(self, name: str) -> None:
        """Take a table out."""
        key = self._key(name)
        self.text = without_table(self.text, key)
        del self.data[key]

    def rename(self, name: str, new: str) -> None:
        """Call a table by another name."""
        key = self._key(name)
        self.text = with_name(self.text, key, new)
        self.data[new] = self.data.pop(key)

    def change(self, name: str, values: Mapping[str, object]) -> None:
        """Put other values into a table; `None` takes a key out."""
        key = self._key(name)
        self.text = with_values(self.text, key, values)
        kept = {each: value for each, value in self.data[key].items() if each not in values}
        self.data[key] = kept | {each: value for each, value in values.items() if value is not None}

    def set_defaults(self, name: str, defaults: Defaults) -> None:
        """Choose a model's detections in another way; what stays the same stays as it is written."""
        entry = self.contents().entries.get(name)
        values, former = default_values(defaults), default_values(entry.defaults if entry else Defaults())
        different = {key: value for key, value in values.items() if value != former[key]}
        if name in self.names:
            self.change(name, different if entry else values)
        elif different:
            self.add(name, different)

    def set_precision(self, name: str, precision: Precision) -> None:
        """Let a model compute in another precision; f32 needs not be said."""
        value = None if precision == F32 else precision
        if name in self.names:
            self.change(name, {"precision": value})
        elif value is not None:
            self.add(name, {"precision": value})

    def is_right(self) -> bool:
        """Whether the text says what was meant; compared as JSON, for `nan` is not even itself."""
        try:
            said, meant = (
                json.dumps(each, sort_keys=True, default=str) for each in (tomllib.loads(self.text), self.data)
            )
        except ValueError:
            return False
        return said == meant

    def _key(self, name: str) -> str:
        """The name as the file writes it."""
        return name if name in self.data else next(key for key in self.data if normal(key) == name)
