"""The models in memory."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from engine.detect.detector import Detector
from engine.detect.recipe import Recipe
from engine.detect.runtimes.choice import open_runtime
from engine.errors import EngineError
from engine.memory import give_back_memory
from engine.models.catalog import Catalog
from engine.models.fingerprint import fingerprint
from engine.models.reading import read_model
from engine.settings import Settings


class LoadedModels:
    """Models loaded when first needed; those that load and unload are called in a turn at the model.

    They are asked for by name and known by where they are: one that is renamed stays in memory, one whose name leads
    elsewhere now is loaded from there.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._detectors: OrderedDict[Path, Detector] = OrderedDict()
        self._fingerprints: dict[Path, str] = {}

    def get(self, name: str) -> Detector | None:
        """The model if it is in memory; waits for nothing."""
        try:
            return self._detectors.get(self._catalog.path(name))
        except EngineError:
            return None

    def recipe(self, name: str) -> Recipe:
        """What is known of a model without loading it.

        Raises:
            ModelError: it cannot be read.
        """
        detector = self.get(name)
        return detector.recipe if detector else read_model(self._catalog.path(name))

    def fingerprint(self, name: str) -> str:
        """What names the content of the model in memory, else of its files.

        Raises:
            ModelError: the model cannot be read.
        """
        path = self._catalog.path(name)
        return self._fingerprints.get(path) or fingerprint(path)

    def ready(self, name: str, settings: Settings) -> Detector:
        """The model, loaded if it is not; the least recently used one makes room.

        Raises:
            ModelError: it cannot be loaded; the models in memory stay as they are.
        """
        path = self._catalog.path(name)
        if path not in self._detectors:
            self._detectors[path] = self._load(name, path, settings.device)
        self._detectors.move_to_end(path)
        while len(self._detectors) > settings.loaded_models:
            self._unload(next(iter(self._detectors)))
        return self._detectors[path]

    def unload(self, name: str) -> None:
        """Give back the memory of a model, if it has any."""
        path = self._catalog.path(name)
        if path in self._detectors:
            self._unload(path)

    def unload_all(self) -> None:
        """Give back the memory of all of them."""
        for path in tuple(self._detectors):
            self._unload(path)

    def _unload(self, path: Path) -> None:
        self._fingerprints.pop(path, None)
        self._detectors.pop(path).runtime.close()
        give_back_memory()

    def _load(self, name: str, path: Path, device: str) -> Detector:
        model = read_model(path)
        self._fingerprints[path] = fingerprint(path)
        return Detector(name, model, open_runtime(model, device))
