"""One model of the catalog: its place and the defaults of its filter."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.detect.detection import Filter
from engine.detect.precision import F32, Precision
from engine.errors import ModelError
from engine.paths import resource

STARTER = "starter"
LONGEST_NAME = 100

Kind = Literal["folder", "onnx", "hub"]
KINDS: tuple[Kind, ...] = ("folder", "onnx", "hub")

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_HUB_PAGE = "https://huggingface.co/"


@dataclass(frozen=True, slots=True)
class Defaults:
    """A model's default filter; `None` leaves a value to the caller.

    Attributes:
        threshold: Keep scores greater than this, 0..1.
        top_k: Keep at most this many.
        labels: Names of the classes to keep.
    """

    threshold: float | None = None
    top_k: int | None = None
    labels: frozenset[str] | None = None

    def chosen(self, threshold: float | None = None, top_k: int | None = None) -> Filter:
        """Return the filter of the given values, else of these defaults, else of `Filter`.

        Raises:
            EngineError: the threshold or top_k is out of range.
        """
        wanted = (threshold, self.threshold, Filter().threshold)
        return Filter(
            labels=self.labels,
            threshold=next(each for each in wanted if each is not None),
            top_k=self.top_k if top_k is None else top_k,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the catalog.

    Attributes:
        name: Its name.
        kind: `folder` (a checkpoint), `onnx` (a file), or `hub` (a checkpoint downloaded from the hub).
        place: Path of the folder or file, or the id on the hub.
        revision: Branch, tag or commit on the hub; empty for the default branch.
        defaults: Its default filter.
        precision: Its precision, used where it is available.
    """

    name: str
    kind: Kind
    place: str
    revision: str = ""
    defaults: Defaults = field(default_factory=Defaults)
    precision: Precision = F32

    @property
    def path(self) -> Path:
        """Its folder or file, which need not exist."""
        return downloaded_path(self.place) if self.kind == "hub" else _expanded(self.place)


def starter_entry() -> Entry:
    """Return the entry of the bundled model."""
    return Entry(STARTER, "folder", str(resource("starter")))


def downloaded_path(hub_id: str) -> Path:
    """Return the folder in which `engine.models.hub` stores a model."""
    from engine.models.hub.folders import ModelFolders

    return ModelFolders().final(hub_id)


def place_of(given: str | os.PathLike[str]) -> tuple[Kind, str]:
    """Return kind and place of a folder, a file or a model on the hub.

    Raises:
        ModelError: it is none of these.
    """
    text = os.fspath(given)
    path = _expanded(text)
    if os.path.isdir(path):  # noqa: PTH112 (pathlib raises on names that are too long)
        return "folder", os.path.abspath(path)  # noqa: PTH100 (a link stays a link)
    if path.suffix.lower() == ".onnx" and os.path.isfile(path):  # noqa: PTH113
        return "onnx", os.path.abspath(path)  # noqa: PTH100
    hub_id = text.removeprefix(_HUB_PAGE).rstrip("/")
    if is_hub_id(hub_id):
        return "hub", hub_id
    raise ModelError(
        "model_nowhere",
        "There is no model {model}; give a checkpoint folder, an .onnx file or a model on the hub (owner/name).",
        model=text[:LONGEST_NAME],
    )


def is_hub_id(text: str) -> bool:
    """Return whether a text is a hub id, `owner/name`."""
    return _HUB_ID.fullmatch(text) is not None and "--" not in text and ".." not in text


def usual_name(kind: Kind, place: str) -> str:
    """Return the default name of a model: that of its folder or file."""
    name = Path(place).stem if kind == "onnx" else Path(place).name
    printable = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    return normal(printable)[:LONGEST_NAME].strip() or "model"


def free_name(wanted: str, taken: Container[str]) -> str:
    """Return this name, with a number appended if it is taken."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def known_as(place: str, entries: Iterable[Entry]) -> str | None:
    """Return the name of the entry at this place, links resolved."""
    real = os.path.realpath(place)
    same = (entry.name for entry in entries if place == entry.place or real == os.path.realpath(entry.path))
    return next(same, None)


def normal(name: str) -> str:
    """Normalise a name to NFC: macOS writes `é` as two characters, others as one."""
    return unicodedata.normalize("NFC", name)


def checked_name(name: str) -> str:
    """Return the name in NFC.

    Raises:
        ModelError: the name is invalid.
    """
    name = normal(name)
    if not name.strip():
        raise _no_name(name, "it is empty")
    if len(name) > LONGEST_NAME:
        raise _no_name(name[:LONGEST_NAME], "it is longer than 100 characters")
    if not name.isprintable():
        raise _no_name(ascii(name), "it has control characters")
    if "/" in name or "\\" in name or name in (".", ".."):
        raise _no_name(name, "it looks like a path")
    if name != name.strip():
        raise _no_name(ascii(name), "it begins or ends with a space")
    return name


def _no_name(name: str, reason: str) -> ModelError:
    return ModelError("model_name", "No model can be called {name}: {reason}.", name=name, reason=reason)


def _expanded(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111 (pathlib raises on a user that is not known)
