"""The names of the models and where their files are."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import ModelError
from engine.paths import resource

STARTER = "starter"


class Catalog:
    """Names of models; the bundled starter is always there."""

    def __init__(self) -> None:
        self._folders: dict[str, Path] = {STARTER: resource("starter")}

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the starter first."""
        return tuple(self._folders)

    def add(self, folder: Path) -> str:
        """Add a checkpoint folder and return its name: the folder's, with a number where that is taken."""
        folder = folder.expanduser().resolve()
        for name, known in self._folders.items():
            if known == folder:
                return name
        name, number = folder.name, 2
        while name in self._folders:
            name, number = f"{folder.name} {number}", number + 1
        self._folders[name] = folder
        return name

    def put(self, name: str, folder: Path) -> None:
        """Call a checkpoint folder by this name, in place of what had it.

        Raises:
            ModelError: there is no such folder.
        """
        folder = folder.expanduser().resolve()
        if not folder.is_dir():
            raise ModelError("model_folder_missing", "There is no model folder {model}.", model=folder)
        self._folders[name] = folder

    def path(self, name: str) -> Path:
        """Where the files of a model are; `name` is one of `names`."""
        return self._folders[name]

    def name_of(self, given: str) -> str:
        """The name of a model that is given by its name or by its folder, which is added.

        Raises:
            ModelError: no model has this name and no folder is there.
        """
        if given in self._folders:
            return given
        path = os.path.expanduser(given)  # noqa: PTH111 (pathlib raises on a user that is not known)
        if os.path.isdir(path):  # noqa: PTH112 (pathlib raises on names that are too long)
            return self.add(Path(path))
        raise ModelError(
            "model_not_found",
            "There is no model {model}; give a checkpoint folder or one of {known}.",
            model=given[:100],
            known=", ".join(self.names),
        )
