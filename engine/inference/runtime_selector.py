"""Which runtime executes a model: a reduced-precision form, the converted model, or torch."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from engine.detect.precision import F32, Precision, precision_in, precision_of, runtime_name
from engine.detect.recipe import Recipe
from engine.detect.runtime import Runtime
from engine.errors import EngineError, ModelError
from engine.inference.conversion_jobs import Stage
from engine.inference.conversions import Conversion, Conversions
from engine.models.checkpoint.checkpoint import Checkpoint
from engine.models.converted import refusal, versions
from engine.models.fast import FastModels, not_worth_it
from engine.models.onnx.model import OnnxModel
from engine.runtimes.devices import means_cpu
from engine.runtimes.openvino_library import native_precisions
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.runtimes.torch_runtime import TorchRuntime
from engine.settings import Settings

_log = logging.getLogger("detrdesk.runtimes")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to execute a model.

    Attributes:
        library: `openvino` or `torch`.
        variant: See `Runtime.variant`.
        model_file: What OpenVINO reads; `None` for torch.
        has_alternative: Whether another choice is there if this one fails.
    """

    library: str
    variant: str = F32
    model_file: Path | None = None
    has_alternative: bool = False


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """What executes a model, and what will.

    Attributes:
        runtime: `torch`, `openvino` or e.g. `openvino int8`, of the model in memory, else what it would be loaded with.
        device: Where that runs it; as it is set, where the model is not in memory.
        conversion: Stage of its conversion for OpenVINO; `none` also where there is to be none.
        percent: How much of the conversion is done, where that is known.
        problem: Why the conversion was refused or failed.
        score_difference: Largest difference of a score from torch's on the probe images, if it is converted and f32.
        pixel_difference: Largest difference of a box from torch's on them, pixels.
        precision: What it computes in.
        precision_problem: Why that is f32, where the catalog asks for a faster one.
    """

    runtime: str
    device: str
    conversion: Stage = "none"
    percent: int | None = None
    problem: EngineError | None = None
    score_difference: float | None = None
    pixel_difference: float | None = None
    precision: Precision = F32
    precision_problem: ModelError | None = None


class RuntimeSelector:
    """Chooses and opens runtimes, and remembers which ones failed in this run of the program.

    Attributes:
        conversions: The conversions that the choice depends on.
    """

    def __init__(self, conversions: Conversions, forms: FastModels) -> None:
        self.conversions = conversions
        self._forms = forms
        self._broken: dict[tuple[str, str], ModelError] = {}

    def choose(
        self,
        model: Recipe,
        fingerprint: str,
        settings: Settings,
        precision: Precision = F32,
        without: Collection[Choice] = (),
    ) -> Choice:
        """Return the best choice of this moment; imports no runtime.

        Args:
            model: A checkpoint or an ONNX file.
            fingerprint: Of its files.
            settings: The engine's.
            precision: What the catalog asks for; f32 where that is not available.
            without: Choices that failed at the image in hand.
        """
        if precision != F32:
            form = self._form(model, fingerprint, settings, precision)
            if isinstance(form, Choice) and form not in without:
                return form
        if isinstance(model, OnnxModel):
            return Choice(OpenVinoRuntime.name, model_file=model.path)
        if may_convert(model, settings):
            converted = self.conversions.state(fingerprint).converted
            if converted is not None:
                choice = Choice(OpenVinoRuntime.name, model_file=converted.model_file, has_alternative=True)
                if choice not in without:
                    return choice
        return Choice("torch")

    def open(self, choice: Choice, model: Recipe, fingerprint: str, device: str) -> Runtime | None:
        """Open the runtime of a choice; `None` where it does not work and has an alternative.

        Raises:
            ModelError: the device is not there, or the files do not make a model.
            DetectionError: out of memory.
        """
        try:
            if choice.model_file is None:
                assert isinstance(model, Checkpoint)
                return TorchRuntime(model, device)
            precision = precision_in(choice.variant)
            if precision != F32:
                _require(precision)
            return OpenVinoRuntime(choice.model_file, choice.variant)
        except EngineError as error:
            if not choice.has_alternative:
                raise
            self._reject(choice, fingerprint, error)
            return None

    def used(self, model: Recipe, path: Path, fingerprint: str, settings: Settings) -> None:
        """Have a model converted that has just answered, unless that was done."""
        if may_convert(model, settings):
            self.conversions.request(fingerprint, path)

    def blame(self, choice: Choice, fingerprint: str, model: str, error: EngineError) -> None:
        """Stop using a choice that failed at an image for which its alternative answered; the log names the model."""
        if choice.variant != F32:
            self._reject(choice, fingerprint, error)
            return
        problem = refusal("conversion_broke", {"reason": error.message.rstrip(".")})
        _log.warning("The model %s goes back to torch. %s", model, problem.message)
        self.conversions.refuse(fingerprint, problem)

    def state(
        self,
        model: Recipe,
        runtime: Runtime | None,
        fingerprint: str,
        settings: Settings,
        precision: Precision = F32,
    ) -> RuntimeState:
        """Return what executes a model, in memory or not, for which the catalog asks this precision."""
        form = self._form(model, fingerprint, settings, precision) if precision != F32 else None
        choice = self.choose(model, fingerprint, settings, precision)
        conversion = self.conversions.state(fingerprint) if may_convert(model, settings) else Conversion()
        exact = conversion.converted if precision == F32 else None
        by_openvino = choice.model_file is not None
        return RuntimeState(
            runtime=runtime.name if runtime else runtime_name(choice.library, precision_in(choice.variant)),
            device=runtime.device if runtime else OpenVinoRuntime.device if by_openvino else settings.device,
            conversion=conversion.stage,
            percent=conversion.percent,
            problem=conversion.problem,
            score_difference=exact.score_difference if exact else None,
            pixel_difference=exact.pixel_difference if exact else None,
            precision=precision_of(runtime.name) if runtime else precision_in(choice.variant),
            precision_problem=form if isinstance(form, ModelError) else None,
        )

    def _form(self, model: Recipe, fingerprint: str, settings: Settings, precision: Precision) -> Choice | ModelError:
        """Return the reduced-precision form of a model, or why f32 serves instead."""
        if not may_reduce_precision(model, settings):
            return needs_openvino(precision)
        made = self._forms.find(fingerprint, precision)
        if made is None:
            return ModelError(
                "precision_absent",
                "There is no {precision} form of this model any more, or not of this machine and these versions: "
                "measure {precision} again. f32 answers meanwhile.",
                precision=precision,
            )
        if not made.figures.is_worth_it:
            return not_worth_it(precision, made.figures)
        model_file = made.model_file
        if model_file is None:  # it is the f32 file, executed differently
            f32 = self.choose(model, fingerprint, settings)
            model_file = f32.model_file
        if model_file is None:
            return ModelError(
                "precision_unconverted", "{precision} begins when the model is converted.", precision=precision
            )
        broken = self._broken.get((fingerprint, made.key))
        return broken or Choice(OpenVinoRuntime.name, made.key, model_file, has_alternative=True)

    def _reject(self, choice: Choice, fingerprint: str, error: EngineError) -> None:
        """Use the alternative of a choice until the next start."""
        if choice.variant == F32:
            _log.warning("The converted model cannot be used, torch serves. %s", error.message)
            self.conversions.fail(fingerprint, error)
            return
        precision = precision_in(choice.variant)
        problem = ModelError(
            "precision_broke", "{precision} failed, f32 serves: {reason}", precision=precision, reason=error.message
        )
        _log.warning("%s", problem.message)
        self._broken[fingerprint, choice.variant] = problem


def may_reduce_precision(model: Recipe, settings: Settings) -> bool:
    """Return whether a model may compute in another precision than f32: where OpenVINO executes it, or may."""
    return isinstance(model, OnnxModel) or may_convert(model, settings)


def may_convert(model: Recipe, settings: Settings) -> bool:
    """Return whether OpenVINO may execute a model instead of torch: a checkpoint, on the CPU, if the settings allow it.

    With the runtime `openvino` a GPU is used only if the device names it.
    """
    if not isinstance(model, Checkpoint) or settings.runtime == "torch" or not versions()["openvino"]:
        return False
    return means_cpu(settings.device) or (settings.runtime == "openvino" and settings.device == "auto")


def needs_openvino(precision: Precision) -> ModelError:
    """Return why a model that torch or a GPU executes has no reduced-precision form."""
    return ModelError(
        "precision_openvino",
        "{precision} needs OpenVINO on the processor, which does not execute this model with these settings.",
        precision=precision,
    )


def processor_lacks(precision: Precision) -> ModelError:
    """Return why a machine has no form of this precision."""
    return ModelError(
        "precision_processor", "The processor of this machine does not compute in {precision}.", precision=precision
    )


def _require(precision: Precision) -> None:
    """Raise ModelError where OpenVINO cannot compute in a precision here."""
    try:
        native = native_precisions()
    except ImportError as error:
        raise needs_openvino(precision) from error
    if precision not in native:
        raise processor_lacks(precision)
