"""Downloaded models whose files are no longer wanted."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine.errors import ModelError
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import Entry
from engine.storage.atomic import cannot_write


def is_downloaded(path: Path) -> bool:
    """Whether the files of a model were brought from the hub by this program."""
    from engine.models.hub.folders import ModelFolders  # with what asks the hub, for which a window need not wait

    return path.resolve() in {folder.resolve() for folder in ModelFolders().downloaded()}


def remove_with_files(catalog: Catalog, name: str) -> Entry:
    """Forget a model that was downloaded, and delete its files; no others are ever deleted.

    Raises:
        ModelError: there is no such model, its files were not downloaded, or another name leads to them; nothing is
            changed.
        CatalogError: `models.toml` has to be mended first.
        WriteError: a file cannot be deleted; the model is forgotten all the same.
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
