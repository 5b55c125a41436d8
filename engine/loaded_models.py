"""The models in memory."""

from __future__ import annotations

from collections import OrderedDict

from engine.detect.detector import Detector
from engine.detect.recipe import Recipe
from engine.detect.runtimes.choice import open_runtime
from engine.memory import give_back_memory
from engine.models.catalog import Catalog
from engine.models.fingerprint import fingerprint
from engine.models.reading import read_model
from engine.settings import Settings


class LoadedModels:
    """Models by name, loaded when first needed; those that load and unload are called in a turn at the model."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._detectors: OrderedDict[str, Detector] = OrderedDict()
        self._fingerprints: dict[str, str] = {}

    def get(self, name: str) -> Detector | None:
        """The model if it is in memory; waits for nothing."""
        return self._detectors.get(name)

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
        return self._fingerprints.get(name) or fingerprint(self._catalog.path(name))

    def ready(self, name: str, settings: Settings) -> Detector:
        """The model, loaded if it is not; the least recently used one makes room.

        Raises:
            ModelError: it cannot be loaded; the models in memory stay as they are.
        """
        if name not in self._detectors:
            self._detectors[name] = self._load(name, settings.device)
        self._detectors.move_to_end(name)
        while len(self._detectors) > settings.loaded_models:
            self.unload(next(iter(self._detectors)))
        return self._detectors[name]

    def unload(self, name: str) -> None:
        """Give back the memory of a model."""
        self._fingerprints.pop(name, None)
        self._detectors.pop(name).runtime.close()
        give_back_memory()

    def unload_all(self) -> None:
        """Give back the memory of all of them."""
        for name in tuple(self._detectors):
            self.unload(name)

    def _load(self, name: str, device: str) -> Detector:
        path = self._catalog.path(name)
        model = read_model(path)
        self._fingerprints[name] = fingerprint(path)
        return Detector(name, model, open_runtime(model, device))
