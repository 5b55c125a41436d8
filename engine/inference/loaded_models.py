"""The models in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.detect.detection import Detections
from engine.detect.detector import Detector
from engine.detect.precision import F32, HALF
from engine.detect.recipe import Recipe
from engine.errors import DetectionError, EngineError
from engine.inference.conversions import Conversion
from engine.inference.memory import give_back_memory
from engine.inference.model_runtimes import ModelRuntimes, RuntimeState, may_convert
from engine.models.catalog.catalog import Catalog
from engine.models.fingerprint import fingerprint
from engine.models.last_times import note_time
from engine.models.reading import read_model
from engine.settings import Settings


class LoadedModels:
    """Models loaded when first needed; those that load and unload are called in a turn at the model.

    They are asked for by name and known by where they are: one that is renamed stays in memory, one whose name leads
    elsewhere now is loaded from there.
    """

    def __init__(self, catalog: Catalog, runtimes: ModelRuntimes) -> None:
        self._catalog = catalog
        self._runtimes = runtimes
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

    def answers_name(self, name: str, settings: Settings) -> str:
        """The same with what its answers depend on beside that: where it computes in another precision than f32.

        Raises:
            ModelError: the model cannot be read.
        """
        content = self.fingerprint(name)
        answers = self._answers(name, content, settings)
        return content if answers == F32 else f"{content}-{answers}"

    def ready(self, name: str, settings: Settings) -> Detector:
        """The model, loaded if it is not, by the best runtime there is; the least recently used one makes room.

        Raises:
            ModelError: it cannot be loaded; the models in memory stay as they are.
        """
        path = self._catalog.path(name)
        if path not in self._detectors:
            self._detectors[path] = self._load(name, path, settings)
        else:
            self._improve(name, path, settings)
        self._detectors.move_to_end(path)
        while len(self._detectors) > settings.loaded_models:
            self._unload(next(iter(self._detectors)))
        return self._detectors[path]

    def unload(self, name: str) -> None:
        """Give back the memory of a model, if it has any."""
        path = self._path_in_memory(name)
        if path is not None:
            self._unload(path)

    def unload_all(self) -> None:
        """Give back the memory of all of them."""
        for path in tuple(self._detectors):
            self._unload(path)

    def used(self, name: str, settings: Settings, found: Detections) -> None:
        """A model that is in memory answered: its time is noted, and it is worth being converted."""
        path = self._path_in_memory(name)
        if path is not None:
            note_time(path, found.timing.model, found.runtime, found.device)
            self._runtimes.used(self._detectors[path].recipe, path, self._fingerprints[path], settings)

    def found_none(self) -> None:
        """After `falls_back` no other runtime could be had: what failed is asked again for the next image."""
        self._runtimes.doubts.dismiss_untried()

    def falls_back(self, name: str, error: DetectionError) -> bool:
        """The runtime of a model in memory failed; true where it was unloaded, to be loaded with another one."""
        path = self._path_in_memory(name)
        if path is None:
            return False
        detector = self._detectors[path]
        if not self._runtimes.broke(detector.recipe, detector.runtime, self._fingerprints[path], error):
            return False
        self._unload(path)
        return True

    def conversion(self, name: str, settings: Settings) -> Conversion:
        """See `Engine.conversion`."""
        if not may_convert(self.recipe(name), settings):
            return Conversion()
        return self._runtimes.conversions.state(self.fingerprint(name))

    def convert(
        self,
        name: str,
        settings: Settings,
        progress: Callable[[Conversion], None] = lambda state: None,
        cancelled: Callable[[], bool] = bool,
    ) -> None:
        """Convert a model where it may be; see `Engine.convert`."""
        if may_convert(self.recipe(name), settings):
            self._runtimes.conversions.convert(self.fingerprint(name), self._catalog.path(name), progress, cancelled)

    def await_conversion(self, name: str, settings: Settings, cancelled: Callable[[], bool]) -> None:
        """Wait for OpenVINO before a model is loaded, where the settings ask for it and it did not fail before."""
        if settings.runtime != "openvino" or self.get(name) is not None or not may_convert(self.recipe(name), settings):
            return
        content, conversions = self.fingerprint(name), self._runtimes.conversions
        conversions.request(content, self._catalog.path(name), in_haste=True)
        conversions.wait(content, cancelled=cancelled)

    def cancel_conversion(self, name: str) -> None:
        """See `Engine.cancel_conversion`."""
        self._runtimes.conversions.cancel(self.fingerprint(name))

    def runtime_state(self, name: str, settings: Settings) -> RuntimeState:
        """See `Engine.runtime_state`."""
        detector = self.get(name)
        runtime = detector.runtime if detector else None
        precision = self._catalog.entry(name).precision
        return self._runtimes.state(self.recipe(name), runtime, self.fingerprint(name), settings, precision)

    def _path_in_memory(self, name: str) -> Path | None:
        """Where a model in memory is from; `None` also where its name leads elsewhere, or nowhere, since."""
        try:
            path = self._catalog.path(name)
        except EngineError:
            return None
        return path if path in self._detectors else None

    def _unload(self, path: Path) -> None:
        self._fingerprints.pop(path, None)
        self._detectors.pop(path).runtime.close()
        give_back_memory()

    def _load(self, name: str, path: Path, settings: Settings) -> Detector:
        model, content = read_model(path), fingerprint(path)
        runtime = self._runtimes.open(model, content, settings, self._catalog.entry(name).precision)
        if fingerprint(path) != content:  # a training wrote over the files while they were loaded
            runtime.close()
            return self._load(name, path, settings)
        self._fingerprints[path] = content
        return Detector(name, model, runtime)

    def _improve(self, name: str, path: Path, settings: Settings) -> None:
        detector, content = self._detectors[path], self._fingerprints[path]
        if self._answers(name, content, settings) != detector.runtime.answers:
            self._detectors[path] = self._load(name, path, settings)
        else:
            successor = self._runtimes.successor(detector.recipe, detector.runtime, content, settings)
            if successor is None:
                return
            self._detectors[path] = replace(detector, runtime=successor)
        detector.runtime.close()
        give_back_memory()

    def _answers(self, name: str, content: str, settings: Settings) -> str:
        """What would name the answers of a model that is loaded now; see `Runtime.answers`."""
        precision = self._catalog.entry(name).precision
        if precision != F32:
            answers = self._runtimes.answers(self.recipe(name), content, settings, precision)
            if answers != F32:
                return answers
        detector = self.get(name)
        return HALF if detector and detector.runtime.answers == HALF else F32
