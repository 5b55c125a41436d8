"""The compared ways from an image file to its detections: transformers alone, torch, the engine's own runtime."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageOps

from engine.detect.detection import Detections
from engine.detect.recipe import prepare
from engine.detect.runtime import Runtime
from engine.engine import Engine
from engine.inference.conversions import Conversion
from engine.inference.runtime_selector import RuntimeState
from engine.runtimes.detector import Detector

Tell = Callable[[str], None]
PLAIN = "transformers"


@dataclass(frozen=True)
class Way:
    """One way, with its model in memory.

    Attributes:
        name: `transformers` for the plain way, else the name of the runtime.
        device: Where the model runs.
        detect: Returns all detections for the bytes of an image file, with the times of the stages.
    """

    name: str
    device: str
    detect: Callable[[bytes], Detections]


def load_converted(engine: Engine, model: str, tell: Tell = lambda stage: None) -> tuple[Detector, RuntimeState]:
    """Convert a model where it can be converted, load it, and return it with the state of its runtime.

    Args:
        engine: The engine.
        model: Name in its catalog.
        tell: Receives each stage of a conversion as it begins.

    Raises:
        EngineError: the model cannot be loaded.
    """
    state = engine.convert(model, on_stage(tell))
    return engine.load(model), state


def on_stage(tell: Tell) -> Callable[[Conversion], None]:
    """Return a callback for `Engine.convert` that passes each stage to `tell` once, as it begins."""
    last = ""

    def progress(state: Conversion) -> None:
        nonlocal last
        if state.stage != last:
            tell(last := state.stage)

    return progress


def ways_of(engine: Engine, model: str, tell: Tell) -> tuple[list[Way], RuntimeState]:
    """Return every way to run this model: the plain one first if there is one, the engine's own last.

    Args:
        engine: The engine; a conversion is waited for.
        model: Name in its catalog.
        tell: Receives what is waited for.

    Raises:
        EngineError: the model cannot be loaded.
    """
    tell(f"loading {model}")
    detector, state = load_converted(engine, model, lambda stage: tell(f"for OpenVINO, once: {stage}"))
    own = detector.runtime
    ways = [Way(own.name, own.device, lambda file: engine.detect(file, model))]
    folder = engine.catalog.path(model)
    if not folder.is_dir():
        return ways, state
    if own.name != "torch":
        tell("loading it by torch")
        ways.insert(0, torch_way(engine, model))
    tell("loading it the plain way")
    return [plain_way(folder, own.device.partition(" ")[0]), *ways], state


def plain_way(folder: Path, device: str = "cpu") -> Way:
    """Return the way of a checkpoint folder by transformers alone."""
    from engine.runtimes.plain import PlainDetector

    detector = PlainDetector(folder, device)

    def detect(content: bytes) -> Detections:
        started = time.perf_counter()
        with Image.open(io.BytesIO(content)) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        decoded = time.perf_counter()
        return _decoded(detector.detect(image), (decoded - started) * 1e3)

    return Way(PLAIN, device, detect)


def torch_way(engine: Engine, model: str) -> Way:
    """Return the way of a model by our preprocessing and postprocessing, and torch.

    Raises:
        ModelError: the model cannot be loaded.
    """
    from engine.models.checkpoint.checkpoint import read_checkpoint
    from engine.runtimes.torch_runtime import TorchRuntime

    checkpoint = read_checkpoint(engine.catalog.path(model))
    runtime: Runtime = TorchRuntime(checkpoint, engine.settings.device)
    detector = Detector(model, checkpoint, runtime)

    def detect(content: bytes) -> Detections:
        image = engine.open(content)
        return _decoded(detector.detect(prepare(checkpoint, image.pixels)), image.decode_ms)

    return Way(runtime.name, runtime.device, detect)


def _decoded(found: Detections, milliseconds: float) -> Detections:
    return replace(found, timing=replace(found.timing, decode=milliseconds))
