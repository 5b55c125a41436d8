"""The models that a server serves, and their health."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.api.errors import RequestError
from engine.detect.recipe import Recipe
from engine.engine import Engine
from engine.errors import EngineError

_NAMED = 20


class ServedModels:
    """Names that requests may use; no request can name a path."""

    def __init__(self, engine: Engine, given: Sequence[str], default: Callable[[], str]) -> None:
        """Serve the given models, else the engine's whole catalog.

        Args:
            engine: Runs the models.
            given: Catalog names, checkpoint folders, NAME=FOLDER.
            default: Returns the model of requests that name none.

        Raises:
            ModelError: a given model does not exist.
        """
        self._engine = engine
        self._named = tuple(_added(engine, each) for each in given)
        self._default = default

    @property
    def names(self) -> tuple[str, ...]:
        """Every model that is served."""
        return self._named or self._engine.catalog.names

    @property
    def default(self) -> str:
        """The model that is used where none is named."""
        return self._named[0] if self._named else self._default()

    def resolve(self, requested: str | None) -> str:
        """Return the model that a request names, else the default.

        Raises:
            RequestError: `model_not_found`, naming those there are.
        """
        name = requested or self.default
        if name in self.names:
            return name
        more = len(self.names) - _NAMED
        known = ", ".join(self.names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        raise RequestError("model_not_found", "There is no such model; use one of {known}.", "model", known=known)

    def recipe(self, name: str) -> Recipe:
        """Return a model's recipe without loading its weights.

        Raises:
            ModelError: it cannot be read.
        """
        return self._engine.recipe(name)

    def created(self, name: str) -> int:
        """Return the modification time of the model, seconds since the epoch; 0 where it is unknown."""
        try:
            return int(self._engine.catalog.path(name).stat().st_mtime)
        except (OSError, EngineError):
            return 0

    def health(self) -> dict[str, Any]:
        """Return the answer of `/health`; `runtime` is that of a model in memory, else `None`.

        Raises:
            EngineError: `no_model`, no model can be used.
        """
        states = {name: self._state(name) for name in self.names}
        if not any("error" not in state for state in states.values()):
            raise EngineError("no_model", "No model can be used: {reason}", reason=_first_error(states))
        return {"status": "ok", "model": states, "device": self._device()}

    def _state(self, name: str) -> dict[str, Any]:
        try:
            recipe = self.recipe(name)
        except EngineError as error:
            return {"loaded": False, "error": error.message}
        detector = self._engine.loaded(name)
        return {
            "loaded": detector is not None,
            "family": recipe.family_name,
            "classes": len(recipe.names),
            "runtime": detector.runtime.name if detector else None,
        }

    def _device(self) -> str:
        loaded = (self._engine.loaded(name) for name in self.names)
        return next((detector.runtime.device for detector in loaded if detector), self._engine.settings.device)


def _added(engine: Engine, given: str) -> str:
    """Return the name of a model given as a catalog name, a folder or NAME=FOLDER, adding it for this run."""
    name, equals, folder = given.partition("=")
    if equals and name and not Path(given).is_dir():
        return engine.catalog.put(name, Path(folder))
    return engine.catalog.name_of(given)


def _first_error(states: Mapping[str, Mapping[str, Any]]) -> str:
    return next((str(state["error"]) for state in states.values()), "none is there.")
