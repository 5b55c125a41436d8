"""The entries of `models.toml`; an invalid one is left out and reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath
from types import MappingProxyType
from typing import Any

from engine.detect.precision import F32, PRECISIONS, Precision
from engine.errors import EngineError, ModelError
from engine.models.catalog.entry import (
    KINDS,
    STARTER,
    Defaults,
    Entry,
    Kind,
    checked_name,
    is_hub_id,
    normal,
    starter_entry,
)
from engine.storage.toml_file import position


class CatalogError(EngineError):
    """`models.toml` or an entry in it cannot be used, or cannot be changed."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of `models.toml`.

    Attributes:
        entries: The models by name, in the order of the file.
        notes: Why an entry is left out, by its name.
    """

    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    notes: Mapping[str, CatalogError] = field(default_factory=lambda: MappingProxyType({}))


class _InvalidEntryError(Exception):
    """An entry is invalid.

    Attributes:
        reason: Reason shown to the user.
        key: The invalid key; `None` for the entry as a whole.
    """

    def __init__(self, reason: str, key: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.key = key


def contents_of(text: str, data: Mapping[str, Any]) -> Contents:
    """Return the models of a file.

    Args:
        text: Text of the file, for lines and columns.
        data: The parsed text.
    """
    entries: dict[str, Entry] = {}
    notes: dict[str, CatalogError] = {}
    for key, value in data.items():
        try:
            entry = _entry(key, value)
            if entry.name in entries:
                raise _invalid("there is another model of this name")
            entries[entry.name] = entry
        except _InvalidEntryError as error:
            notes[_unused(normal(key), notes)] = _note(text, key, error)
    return Contents(MappingProxyType(entries), MappingProxyType(notes))


def values_of(entry: Entry) -> dict[str, object]:
    """Return the TOML values of an entry.

    Raises:
        ModelError: a path is not valid Unicode and cannot be written to a text file.
    """
    if not entry.place.isprintable():
        raise ModelError(
            "model_place", "The path {path} is no readable Unicode: rename the folder or file.", path=ascii(entry.place)
        )
    values: dict[str, object] = {entry.kind: entry.place}
    if entry.revision:
        values["revision"] = entry.revision
    if entry.precision != F32:
        values["precision"] = entry.precision
    return values | {key: value for key, value in default_values(entry.defaults).items() if value is not None}


def default_values(defaults: Defaults) -> dict[str, object]:
    """Return the TOML values of the defaults; `None` for those not set."""
    labels = None if defaults.labels is None else sorted(defaults.labels)
    return {"threshold": defaults.threshold, "top_k": defaults.top_k, "labels": labels}


def _entry(key: str, value: object) -> Entry:
    if not isinstance(value, Mapping):
        raise _invalid("a model has a table of its own: its name in [ ] and, below, its folder")
    try:
        name = checked_name(key)
    except ModelError as error:
        raise _InvalidEntryError(str(error.params["reason"])) from error
    kinds = [kind for kind in KINDS if kind in value]
    if name == STARTER:
        if kinds:
            raise _invalid("the starter keeps its place; its threshold, top_k and labels can be set", kinds[0])
        return replace(starter_entry(), defaults=_defaults(value), precision=_precision(value))
    if len(kinds) != 1:
        raise _invalid("it has one of folder, onnx and hub")
    (kind,) = kinds
    place, revision = _text(value, kind), _text(value, "revision") if "revision" in value else ""
    _check_place(kind, place)
    return Entry(name, kind, place, revision, _defaults(value), _precision(value))


def _precision(table: Mapping[str, Any]) -> Precision:
    value = table.get("precision", F32)
    for each in PRECISIONS:
        if value == each:
            return each
    raise _invalid('the precision is one of "f32", "bf16" and "int8"', "precision")


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value or not value.isprintable():
        raise _invalid("this is a text in quotes", key)
    return value


def _check_place(kind: Kind, place: str) -> None:
    if kind == "hub":
        if not is_hub_id(place):
            raise _invalid("a model on the hub is named owner/name", kind)
    elif not (place.startswith("~") or Path(place).is_absolute() or PureWindowsPath(place).is_absolute()):
        raise _invalid("give the whole path, from the root or from ~", kind)


def _defaults(table: Mapping[str, Any]) -> Defaults:
    threshold, top_k, labels = (table.get(key) for key in ("threshold", "top_k", "labels"))
    if threshold is not None and not (_is_number(threshold) and 0 <= threshold <= 1):
        raise _invalid("the threshold is a number from 0 to 1", "threshold")
    if top_k is not None and not (isinstance(top_k, int) and _is_number(top_k) and top_k >= 1):
        raise _invalid("top_k is a whole number, 1 or more", "top_k")
    if labels is not None and not (isinstance(labels, list) and all(isinstance(label, str) for label in labels)):
        raise _invalid("labels is a list of class names in quotes", "labels")
    return Defaults(
        None if threshold is None else float(threshold), top_k, None if labels is None else frozenset(labels)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _invalid(reason: str, key: str | None = None) -> _InvalidEntryError:
    return _InvalidEntryError(reason, key)


def _unused(name: str, taken: Mapping[str, object]) -> str:
    return name if name not in taken else _unused(f"{name} ", taken)


def _note(text: str, key: str, error: _InvalidEntryError) -> CatalogError:
    line, column = position(text, key, error.key)
    return CatalogError(
        "model_entry",
        "models.toml, line {line}, column {column}: the entry of {name} cannot be used: {reason}.",
        line=line,
        column=column,
        name=key if key.isprintable() else ascii(key),
        reason=error.reason,
    )
