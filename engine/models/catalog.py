"""The names of the models and where their files are."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ModelError
from engine.paths import resource

STARTER = "starter"


class Catalog:
    """Names of models; the bundled starter is always there.

    A folder can be used without a name: its path is its name until it is added under another.
    """

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

    def folder(self, name: str) -> Path:
        """The folder of a model, by its name or as a path.

        Raises:
            ModelError: no model has this name and no folder is there.
        """
        if name in self._folders:
            return self._folders[name]
        if "\0" not in name and Path(name).expanduser().is_dir():
            return Path(name).expanduser()
        raise ModelError(
            "model_not_found",
            "There is no model {model}; give a checkpoint folder or one of {known}.",
            model=name[:100],
            known=", ".join(self.names),
        )
