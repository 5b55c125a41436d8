"""Deletion of downloaded models with their files."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine.errors import ModelError
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import Entry
from engine.storage.atomic import cannot_write


def is_downloaded(path: Path) -> bool:
    """Return whether this program downloaded the model's files from the hub."""
    from engine.models.hub.folders import ModelFolders  # slow: imports the hub client

    return path.resolve() in {folder.resolve() for folder in ModelFolders().downloaded()}


def remove_with_files(catalog: Catalog, name: str) -> Entry:
    """Remove a downloaded model from the catalog and delete its files; files from elsewhere are never deleted.

    Raises:
        ModelError: no such model, its files were not downloaded, or another name uses them; nothing is changed.
        CatalogError: `models.toml` is invalid.
        WriteError: a file cannot be deleted; the model has left the catalog nevertheless.
    """
    entry = catalog.entry(name)
    path = entry.path
    is_here = path.exists()
    if entry.kind != "hub" or is_here:
        _check(catalog, entry, path)
    catalog.remove(name)
    try:
        if is_here:
            shutil.rmtree(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    return entry


def _check(catalog: Catalog, entry: Entry, path: Path) -> None:
    if not is_downloaded(path):
        raise ModelError(
            "model_not_ours",
            "The files of {name} were not downloaded by this program, so it does not delete them: {path}.",
            name=entry.name,
            path=path,
        )
    others = [
        each.name for each in catalog.entries if each.name != entry.name and each.path.resolve() == path.resolve()
    ]
    if others:
        raise ModelError(
            "model_still_used", "The files of {name} are those of {other} too.", name=entry.name, other=others[0]
        )
