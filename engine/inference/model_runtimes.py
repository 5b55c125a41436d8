"""Which runtime a model has: torch at first, OpenVINO as soon as the model is converted."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from engine.detect.precision import F32, FAST, Precision, precision_in, precision_of, runtime_name
from engine.detect.recipe import Recipe
from engine.detect.runtime import Runtime
from engine.errors import DetectionError, EngineError, ModelError
from engine.inference.conversion_jobs import Stage
from engine.inference.conversions import Conversion, Conversions
from engine.inference.doubts import Doubts
from engine.inference.fast_runtimes import FastForm, FastRuntimes, needs_openvino
from engine.models.checkpoint.checkpoint import Checkpoint
from engine.models.converted import versions
from engine.models.onnx.model import OnnxModel
from engine.runtimes.choice import open_runtime
from engine.runtimes.devices import means_cpu
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.settings import Settings

_log = logging.getLogger("detrdesk.runtimes")


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """What executes a model, and what will.

    Attributes:
        runtime: `torch`, `openvino`, or e.g. `openvino int8`: what it is in memory with, else what it would be loaded
            with.
        device: Where that runs it; as it is set, where the model is not in memory.
        conversion: How far its conversion for OpenVINO is; `none` also where there is to be none.
        problem: Why it was refused, or failed this time.
        score_difference: Largest difference of a score from torch's on the probe images, if it is converted and f32.
        pixel_difference: Largest difference of a box from torch's on them, pixels.
        precision: What it computes in.
        precision_problem: Why that is f32, where the catalog asks for a faster one.
    """

    runtime: str
    device: str
    conversion: Stage = "none"
    problem: EngineError | None = None
    score_difference: float | None = None
    pixel_difference: float | None = None
    precision: Precision = F32
    precision_problem: ModelError | None = None


class ModelRuntimes:
    """Opens runtimes and has checkpoints converted, where the settings let it."""

    def __init__(self, conversions: Conversions, fast: FastRuntimes) -> None:
        self.conversions = conversions
        self._fast = fast
        self.doubts = Doubts(conversions, fast)

    def open(
        self, model: Checkpoint | OnnxModel, fingerprint: str, settings: Settings, precision: Precision = F32
    ) -> Runtime:
        """The best runtime that there is at this moment.

        Args:
            model: What was read and checked.
            fingerprint: Of its files.
            settings: What was set.
            precision: What the catalog asks for; f32 serves where that is not to be had.

        Raises:
            ModelError: the device is not there, or the files do not make a model.
            DetectionError: out of memory.
        """
        self.doubts.opening(fingerprint)
        form = self._form(model, fingerprint, settings, precision)
        fast = self._fast.open(form, fingerprint) if isinstance(form, FastForm) else None
        return fast or self._converted(model, fingerprint, settings) or open_runtime(model, settings.device)

    def successor(self, model: Recipe, runtime: Runtime, fingerprint: str, settings: Settings) -> Runtime | None:
        """What takes over from the runtime that a model has, if the model was converted meanwhile."""
        self.doubts.dismiss(fingerprint)
        return None if isinstance(runtime, OpenVinoRuntime) else self._converted(model, fingerprint, settings)

    def answers(self, model: Recipe, fingerprint: str, settings: Settings, precision: Precision) -> str:
        """What would name the answers that a model gives now; see `Runtime.answers`."""
        form = self._form(model, fingerprint, settings, precision)
        return form.answers if isinstance(form, FastForm) else F32

    def used(self, model: Recipe, path: Path, fingerprint: str, settings: Settings) -> None:
        """A model answered: have it converted, unless that was done."""
        self.doubts.confirm(fingerprint, path.name)
        if may_convert(model, settings):
            self.conversions.request(fingerprint, path)

    def broke(self, model: Recipe, runtime: Runtime, fingerprint: str, error: DetectionError) -> bool:
        """A runtime failed at an image; true where another one is there to be tried on it."""
        if precision_in(runtime.answers) in FAST:
            self.doubts.fast_failed(fingerprint, runtime.answers, error)
        elif runtime.name == OpenVinoRuntime.name and isinstance(model, Checkpoint):
            self.doubts.converted_failed(fingerprint, error)
        else:
            self.doubts.dismiss(fingerprint)
            return False
        return True

    def state(
        self,
        model: Recipe,
        runtime: Runtime | None,
        fingerprint: str,
        settings: Settings,
        wanted: Precision = F32,
    ) -> RuntimeState:
        """What executes a model, in memory or not, where the catalog wants this precision."""
        form = self._form(model, fingerprint, settings, wanted)
        answers = form.answers if isinstance(form, FastForm) else F32
        known = self.conversions.state(fingerprint) if may_convert(model, settings) else Conversion()
        precision = precision_of(runtime.name) if runtime else precision_in(answers)
        exact = known.converted if precision == F32 else None
        by_openvino = isinstance(model, OnnxModel) or known.converted is not None
        library = OpenVinoRuntime.name if by_openvino else "torch"
        return RuntimeState(
            runtime=runtime.name if runtime else runtime_name(library, precision_in(answers)),
            device=runtime.device if runtime else OpenVinoRuntime.device if by_openvino else settings.device,
            conversion=known.stage,
            problem=known.problem,
            score_difference=exact.score_difference if exact else None,
            pixel_difference=exact.pixel_difference if exact else None,
            precision=precision,
            precision_problem=form if isinstance(form, ModelError) else None,
        )

    def _form(
        self, model: Recipe, fingerprint: str, settings: Settings, precision: Precision
    ) -> FastForm | ModelError | None:
        """What the catalog asks for, why that is not to be had, or nothing where f32 is what it asks for."""
        if precision == F32:
            return None
        if not may_be_fast(model, settings):
            return needs_openvino(precision)
        return self._fast.form(model, fingerprint, precision)

    def _converted(self, model: Recipe, fingerprint: str, settings: Settings) -> Runtime | None:
        converted = self.conversions.state(fingerprint).converted if may_convert(model, settings) else None
        if converted is None:
            return None
        try:
            return OpenVinoRuntime(converted.model_file)
        except EngineError as error:
            _log.warning("The converted model cannot be used, torch serves. %s", error.message)
            self.conversions.fail(fingerprint, error)
            return None


def may_be_fast(model: Recipe, settings: Settings) -> bool:
    """Whether a model may compute in another precision than f32: where OpenVINO executes it, or may."""
    return isinstance(model, OnnxModel) or may_convert(model, settings)


def may_convert(model: Recipe, settings: Settings) -> bool:
    """Whether OpenVINO may execute this model instead of torch: a checkpoint, on the CPU, if the settings let it.

    With the runtime `openvino` a card is left alone unless the device names it.
    """
    if not isinstance(model, Checkpoint) or settings.runtime == "torch" or not versions()["openvino"]:
        return False
    return means_cpu(settings.device) or (settings.runtime == "openvino" and settings.device == "auto")
