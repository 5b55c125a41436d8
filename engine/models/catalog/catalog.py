"""The catalog of models: the starter, those of `models.toml`, and those added for this run only."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engine.detect.precision import Precision
from engine.errors import EngineError, ModelError
from engine.models.catalog.draft import Draft
from engine.models.catalog.entries import Contents, values_of
from engine.models.catalog.entry import (
    STARTER,
    Defaults,
    Entry,
    Kind,
    checked_name,
    free_name,
    known_as,
    normal,
    place_of,
    starter_entry,
    usual_name,
)
from engine.models.catalog.file import CatalogFile
from engine.storage.toml_file import Stamp

_NAMED = 20
"""Most names in a message."""


class Catalog:
    """Models by name, always with the bundled starter; thread-safe.

    Every query first checks `models.toml` for changes. While that file is invalid, the last valid models are used,
    `problem` says why, and changes are refused.
    """

    def __init__(self, file: CatalogFile | None = None) -> None:
        self._file = file or CatalogFile()
        self._lock = threading.RLock()
        self._contents = Contents()
        self._admitted: dict[str, Entry] = {}
        self._stamp: Stamp | None = None
        self._problem: EngineError | None = None
        self._edition = 0
        self._starter = starter_entry()

    @property
    def file(self) -> Path:
        """Path of `models.toml`."""
        return self._file.path

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the starter first."""
        return tuple(entry.name for entry in self.entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every model, the starter first, those of this run only last."""
        with self._fresh():
            return tuple(self._all().values())

    @property
    def problem(self) -> EngineError | None:
        """Why `models.toml` cannot be used, or `None`."""
        with self._fresh():
            return self._problem

    @property
    def notes(self) -> tuple[EngineError, ...]:
        """Why single entries of `models.toml` cannot be used."""
        with self._fresh():
            return tuple(self._contents.notes.values())

    def refresh(self) -> int:
        """Check `models.toml` for changes; takes microseconds, meant for a timer.

        Returns:
            A number that increases with every change of the catalog, from inside or outside this process.
        """
        with self._fresh():
            return self._edition

    def entry(self, name: str) -> Entry:
        """Return a model by its name.

        Raises:
            ModelError: there is no such model; it may have been removed meanwhile.
        """
        with self._fresh():
            found = self._all().get(name)
            if found is None:
                raise self._unknown(name)
            return found

    def path(self, name: str) -> Path:
        """Return the folder or file of a model.

        Raises:
            ModelError: there is no such model, or it is not downloaded yet.
        """
        entry = self.entry(name)
        if entry.kind == "hub" and not entry.path.exists():
            raise ModelError(
                "model_not_downloaded", "The model {model} is on the hub; download it first.", model=entry.name
            )
        return entry.path

    def defaults(self, name: str) -> Defaults:
        """Return the default filter of a model; empty for an unknown name."""
        with self._fresh():
            found = self._all().get(name)
            return found.defaults if found else Defaults()

    def is_kept(self, name: str) -> bool:
        """Return whether a model is in `models.toml`; others are the starter or exist in this run only."""
        with self._fresh():
            return name in self._contents.entries or name in self._contents.notes

    def name_of(self, given: str) -> str:
        """Return the name of a model given by its name, hub id, folder or .onnx file.

        A folder or file without a name gets one for this run.

        Raises:
            EngineError: there is no such model or path, or its entry in `models.toml` is invalid.
        """
        with self._fresh():
            known = self._all()
            for name in (given, normal(given[:1000])):
                if name in known:
                    return name
            on_hub = [entry.name for entry in known.values() if entry.kind == "hub" and entry.place == given]
            if on_hub:
                return on_hub[0]
        path = os.path.expanduser(given)  # noqa: PTH111 (pathlib raises on a user that is not known)
        is_onnx = path.lower().endswith(".onnx") and os.path.isfile(path)  # noqa: PTH113
        if is_onnx or os.path.isdir(path):  # noqa: PTH112 (pathlib raises on names that are too long)
            return self.admit(Path(path))
        raise self._unknown(given)

    def admit(self, path: Path) -> str:
        """Add a checkpoint folder or .onnx file for this run only.

        Returns:
            Its present name, else that of its folder or file, with a number if it is taken.

        Raises:
            ModelError: there is no such folder or file.
        """
        kind, place = _path_place(path)
        with self._fresh():
            known = self._all()
            name = known_as(place, known.values())
            if name is None:
                name = free_name(usual_name(kind, place), known)
                self._set_admitted(Entry(name, kind, place))
            return name

    def put(self, name: str, path: Path) -> str:
        """Name a checkpoint folder or .onnx file for this run only, replacing the model that had the name.

        Returns:
            The name in NFC.

        Raises:
            ModelError: there is no such folder or file, or the name is invalid.
        """
        name = checked_name(name)
        kind, place = _path_place(path)
        if name == STARTER:
            raise _taken(name)
        with self._lock:
            self._set_admitted(Entry(name, kind, place))
        return name

    def add(
        self,
        given: str | os.PathLike[str],
        name: str | None = None,
        defaults: Defaults | None = None,
        revision: str = "",
    ) -> str:
        """Add a model to `models.toml`; a model that is in it already keeps its name, unless another is given.

        Args:
            given: A checkpoint folder, an .onnx file, or the id of a model on the hub.
            name: Its name; by default that of its folder or file, with a number if it is taken.
            defaults: Its default filter.
            revision: Branch, tag or commit on the hub.

        Returns:
            Its name.

        Raises:
            ModelError: there is no such model, or the name is invalid or taken.
            CatalogError: `models.toml` is invalid.
            WriteError: it cannot be written.
        """
        kind, place = place_of(given)
        wanted = checked_name(name) if name is not None else None
        with self._changing() as draft:
            kept = known_as(place, (self._starter, *draft.contents().entries.values()))
            if kept is not None and wanted in (None, kept):
                if defaults is not None:
                    draft.set_defaults(kept, defaults)
                return kept
            admitted = known_as(place, self._admitted.values())
            taken = {STARTER, *draft.names, *self._admitted} - {admitted}
            if wanted in taken:
                raise _taken(wanted)
            name = wanted or free_name(admitted or usual_name(kind, place), taken)
            draft.add(name, values_of(Entry(name, kind, place, revision, defaults or Defaults())))
        if admitted is not None:
            self._drop_admitted(admitted)
        return name

    def rename(self, name: str, new: str) -> str:
        """Rename a model; return the new name in NFC.

        Raises:
            ModelError: there is no such model, it is the starter, or the new name is invalid or taken.
            CatalogError, WriteError: as `add`.
        """
        _refuse_starter(name)
        new = checked_name(new)
        if new == name:
            return name
        with self._changing() as draft:
            if new in {STARTER, *draft.names, *self._admitted}:
                raise _taken(new)
            if name in self._admitted:
                self._set_admitted(replace(self._drop_admitted(name), name=new))
            else:
                self._check_kept(name, draft)
                draft.rename(name, new)
        return new

    def remove(self, name: str) -> Entry | None:
        """Remove a model from the catalog; its files stay, see `remove_with_files`.

        Returns:
            The removed entry; `None` if it was invalid.

        Raises:
            ModelError: there is no such model, or it is the starter.
            CatalogError, WriteError: as `add`.
        """
        _refuse_starter(name)
        with self._changing() as draft:
            if name in self._admitted:
                return self._drop_admitted(name)
            self._check_kept(name, draft)
            entry = draft.contents().entries.get(name)
            draft.remove(name)
        return entry

    def set_defaults(self, name: str, defaults: Defaults) -> None:
        """Set the default filter of a model.

        Raises:
            ModelError: there is no such model.
            CatalogError, WriteError: as `add`.
        """
        self._change(
            name, lambda entry: replace(entry, defaults=defaults), lambda draft: draft.set_defaults(name, defaults)
        )

    def set_precision(self, name: str, precision: Precision) -> None:
        """Set the precision of a model, used where it is available; see `engine.batch.precisions.choose`.

        Raises:
            ModelError: there is no such model.
            CatalogError, WriteError: as `add`.
        """
        self._change(
            name, lambda entry: replace(entry, precision=precision), lambda draft: draft.set_precision(name, precision)
        )

    def _change(self, name: str, admitted: Callable[[Entry], Entry], kept: Callable[[Draft], None]) -> None:
        """Apply `admitted` to a model of this run only, else `kept` to the file."""
        with self._changing() as draft:
            if name in self._admitted:
                self._set_admitted(admitted(self._admitted[name]))
                return
            if name != STARTER:
                self._check_kept(name, draft)
            kept(draft)

    @contextmanager
    def _changing(self) -> Iterator[Draft]:
        """Lock and change the file without blocking queries."""
        self.refresh()
        with self._file.changing() as draft:
            yield draft
        with self._fresh():
            pass

    @contextmanager
    def _fresh(self) -> Iterator[None]:
        with self._lock:
            stamp = self._file.stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self._edition += 1
                self._read()
            yield

    def _read(self) -> None:
        former = self._contents.entries
        try:
            now = self._file.read()
        except EngineError as error:
            self._problem = error
            return
        self._problem = None
        last_good = {name: former[name] for name in now.notes if name in former and name not in now.entries}
        self._contents = replace(now, entries={**now.entries, **last_good})

    def _all(self) -> dict[str, Entry]:
        """Return all models by name; those of this run take precedence over the file's."""
        return {STARTER: self._starter, **self._contents.entries, **self._admitted}

    def _set_admitted(self, entry: Entry) -> None:
        with self._lock:
            self._admitted = {**self._admitted, entry.name: entry}
            self._edition += 1

    def _drop_admitted(self, name: str) -> Entry:
        with self._lock:
            dropped = self._admitted[name]
            self._admitted = {other: entry for other, entry in self._admitted.items() if other != name}
            self._edition += 1
            return dropped

    def _check_kept(self, name: str, draft: Draft) -> None:
        if name not in draft.names:
            raise self._unknown(name)

    def _unknown(self, given: str) -> EngineError:
        problem = self._contents.notes.get(given) or self._problem
        if problem is not None:
            return problem
        names = list(self._all())
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return ModelError(
            "model_not_found",
            "There is no model {model}; give a checkpoint folder or one of {known}.",
            model=given[:100],
            known=", ".join(names[:_NAMED]) + more,
        )


def _path_place(path: Path) -> tuple[Kind, str]:
    if not path.expanduser().exists():
        raise ModelError("model_folder_missing", "There is no model folder {model}.", model=path)
    return place_of(path)


def _refuse_starter(name: str) -> None:
    if name == STARTER:
        raise ModelError("model_is_starter", "The starter is part of the program: it keeps its name and its place.")


def _taken(name: str) -> ModelError:
    return ModelError("model_name_taken", "There is a model called {name} already.", name=name)
