"""The models in memory."""

from __future__ import annotations

import ctypes
import sys
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.detect.detection import Detections
from engine.detect.precision import F32, HALF
from engine.detect.recipe import Recipe
from engine.errors import DetectionError, EngineError
from engine.inference.conversions import Conversion
from engine.inference.runtime_selector import Choice, RuntimeSelector, RuntimeState, may_convert
from engine.models.catalog.catalog import Catalog
from engine.models.fingerprint import fingerprint
from engine.models.last_times import note_time
from engine.models.reading import read_model
from engine.runtimes.detector import Detector
from engine.settings import Settings

Failure = tuple[Choice, DetectionError]
"""What failed at an image, and how."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    detector: Detector
    fingerprint: str
    choice: Choice


class ModelPool:
    """Models loaded when first needed; `ready`, `unload` and `used` are called in a turn at the model.

    They are asked for by name and known by path: a renamed model stays in memory, one whose name leads elsewhere is
    loaded from there.

    Attributes:
        settings: The engine's.
    """

    def __init__(self, catalog: Catalog, selector: RuntimeSelector, settings: Settings) -> None:
        self.settings = settings
        self._catalog = catalog
        self._selector = selector
        self._loaded: OrderedDict[Path, _Loaded] = OrderedDict()

    def get(self, name: str) -> Detector | None:
        """Return the model if it is in memory; waits for nothing."""
        loaded = self._in_memory(name)
        return loaded.detector if loaded else None

    def recipe(self, name: str) -> Recipe:
        """Return what is known of a model without loading it.

        Raises:
            ModelError: it cannot be read.
        """
        loaded = self._in_memory(name)
        return loaded.detector.recipe if loaded else read_model(self._catalog.path(name))

    def fingerprint(self, name: str) -> str:
        """Return the fingerprint of the model in memory, else of its files.

        Raises:
            ModelError: the model cannot be read.
        """
        loaded = self._in_memory(name)
        return loaded.fingerprint if loaded else fingerprint(self._catalog.path(name))

    def variant(self, name: str) -> str:
        """Return the variant that would answer now; see `Runtime.variant`.

        Raises:
            ModelError: the model cannot be read.
        """
        precision = self._catalog.entry(name).precision
        if precision != F32:
            choice = self._selector.choose(self.recipe(name), self.fingerprint(name), self.settings, precision)
            if choice.variant != F32:
                return choice.variant
        loaded = self._in_memory(name)
        return HALF if loaded and loaded.detector.runtime.variant == HALF else F32

    def ready(self, name: str, failures: Sequence[Failure] = ()) -> Detector:
        """Return the model, loaded by the best runtime there is; the least recently used one makes room.

        Args:
            name: In the catalog.
            failures: What failed at the image in hand: other runtimes are tried.

        Raises:
            ModelError: it cannot be loaded; the models in memory stay as they are.
            DetectionError: out of memory.
        """
        path = self._catalog.path(name)
        if failures:
            self.unload(name)
        loaded = self._loaded.get(path)
        if loaded is None:
            self._loaded[path] = self._load(name, path, [choice for choice, _ in failures])
        else:
            self._loaded[path] = self._improved(name, path, loaded)
        self._loaded.move_to_end(path)
        while len(self._loaded) > self.settings.loaded_models:
            self._unload(next(iter(self._loaded)))
        return self._loaded[path].detector

    def choice(self, name: str) -> Choice | None:
        """Return what executes a model in memory."""
        loaded = self._in_memory(name)
        return loaded.choice if loaded else None

    def used(self, name: str, found: Detections, failures: Sequence[Failure] = ()) -> None:
        """Note the time of an answer, have the model converted, and stop using what failed at the same image."""
        path = self._path(name)
        loaded = None if path is None else self._loaded.get(path)
        if path is None or loaded is None:
            return
        note_time(path, found.timing.model, found.runtime, found.device)
        for choice, error in failures:
            self._selector.blame(choice, loaded.fingerprint, path.name, error)
        if loaded.choice.model_file is None:
            self._selector.used(loaded.detector.recipe, path, loaded.fingerprint, self.settings)

    def unload(self, name: str) -> None:
        """Free the memory of a model, if it has any."""
        path = self._path(name)
        if path is not None and path in self._loaded:
            self._unload(path)

    def unload_all(self) -> None:
        """Free the memory of all models."""
        for path in tuple(self._loaded):
            self._unload(path)

    def runtime_state(self, name: str) -> RuntimeState:
        """Return what executes a model; see `Engine.runtime_state`."""
        detector, precision = self.get(name), self._catalog.entry(name).precision
        runtime = detector.runtime if detector else None
        return self._selector.state(self.recipe(name), runtime, self.fingerprint(name), self.settings, precision)

    def conversion(self, name: str) -> Conversion:
        """Return the state of a model's conversion; see `Engine.conversion`."""
        if not may_convert(self.recipe(name), self.settings):
            return Conversion()
        return self._selector.conversions.state(self.fingerprint(name))

    def convert(
        self,
        name: str,
        progress: Callable[[Conversion], None],
        cancelled: Callable[[], bool],
        again: bool = False,
    ) -> None:
        """Convert a model where the settings and its kind allow it; see `Engine.convert`."""
        if may_convert(self.recipe(name), self.settings):
            content, path = self.fingerprint(name), self._catalog.path(name)
            self._selector.conversions.convert(content, path, progress, cancelled, again)

    def await_conversion(self, name: str, cancelled: Callable[[], bool]) -> None:
        """Wait for the conversion of a model that is not in memory, where the settings ask for OpenVINO."""
        if self.settings.runtime != "openvino" or self._in_memory(name) is not None:
            return
        if may_convert(self.recipe(name), self.settings):
            content, conversions = self.fingerprint(name), self._selector.conversions
            conversions.request(content, self._catalog.path(name), in_haste=True)
            conversions.wait(content, cancelled=cancelled)

    def cancel_conversion(self, name: str) -> None:
        """End a conversion in the background; see `Engine.cancel_conversion`."""
        self._selector.conversions.cancel(self.fingerprint(name))

    def _in_memory(self, name: str) -> _Loaded | None:
        """Return a model in memory; `None` also where its name leads elsewhere, or nowhere, since."""
        path = self._path(name)
        return None if path is None else self._loaded.get(path)

    def _path(self, name: str) -> Path | None:
        try:
            return self._catalog.path(name)
        except EngineError:
            return None

    def _load(self, name: str, path: Path, without: Collection[Choice] = ()) -> _Loaded:
        model, content = read_model(path), fingerprint(path)
        precision = self._catalog.entry(name).precision
        runtime = None
        while runtime is None:
            choice = self._selector.choose(model, content, self.settings, precision, without)
            runtime = self._selector.open(choice, model, content, self.settings.device)
        if fingerprint(path) != content:  # a training wrote over the files while they were loaded
            runtime.close()
            return self._load(name, path, without)
        return _Loaded(Detector(name, model, runtime), content, choice)

    def _improved(self, name: str, path: Path, loaded: _Loaded) -> _Loaded:
        """Return the model by a better runtime, where there is one now, else as it is."""
        recipe, content = loaded.detector.recipe, loaded.fingerprint
        precision = self._catalog.entry(name).precision
        if precision == F32 and loaded.choice.variant == F32 and loaded.choice.model_file is not None:
            return loaded  # converted, or an ONNX file: nothing is better
        while (choice := self._selector.choose(recipe, content, self.settings, precision)) != loaded.choice:
            if choice.model_file in (None, path):
                better = self._load(name, path)
            else:
                runtime = self._selector.open(choice, recipe, content, self.settings.device)
                if runtime is None:
                    continue
                better = replace(loaded, detector=replace(loaded.detector, runtime=runtime), choice=choice)
            loaded.detector.runtime.close()
            free_memory()
            return better
        return loaded

    def _unload(self, path: Path) -> None:
        self._loaded.pop(path).detector.runtime.close()
        free_memory()


def free_memory() -> None:
    """Return freed memory to the system at once; glibc keeps gigabytes after one large image."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
