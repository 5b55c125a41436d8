"""The ways from an image's file to its detections that are compared."""

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
    """One way, its model in memory.

    Attributes:
        name: `transformers` for the plain way, else the runtime's.
        device: Where the model runs.
        detect: From the bytes of an image's file to every detection in it, with the times of the stages.
    """

    name: str
    device: str
    detect: Callable[[bytes], Detections]


def settle(engine: Engine, model: str, tell: Tell = lambda stage: None) -> tuple[Detector, RuntimeState]:
    """The model in memory, executed by the runtime that it stays with, and how that came about.

    Args:
        engine: Whose model it is.
        model: Its name in the catalog.
        tell: Is told each stage of a conversion as it begins.

    Raises:
        EngineError: the model cannot be loaded.
    """
    state = engine.convert(model, on_stage(tell))
    return engine.load(model), state


def on_stage(tell: Tell) -> Callable[[Conversion], None]:
    """Return a callback for `Engine.convert` that tells each stage once, as it begins."""
    last = ""

    def progress(state: Conversion) -> None:
        nonlocal last
        if state.stage != last:
            tell(last := state.stage)

    return progress


def ways_of(engine: Engine, model: str, tell: Tell) -> tuple[list[Way], RuntimeState]:
    """Every way that this model has, the plain one first if it has one, the engine's own last.

    Args:
        engine: Whose model it is; where it converts models, it is waited for.
        model: A name in its catalog.
        tell: Is told what is waited for.

    Raises:
        EngineError: the model cannot be loaded.
    """
    tell(f"loading {model}")
    detector, state = settle(engine, model, lambda stage: tell(f"for OpenVINO, once: {stage}"))
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
    """A checkpoint folder by transformers alone."""
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
    """A model by our own way around it, and PyTorch.

    Raises:
        ModelError: it cannot be loaded.
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
