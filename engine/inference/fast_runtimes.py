"""The fast form of a model as a runtime, where it was made, is worth it, and works here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from engine.detect.precision import Precision, precision_in
from engine.detect.recipe import Recipe
from engine.detect.runtime import Runtime
from engine.errors import EngineError, ModelError
from engine.inference.conversions import Conversions
from engine.models.fast import FastModels, not_worth_it
from engine.models.onnx.model import OnnxModel
from engine.runtimes.openvino_library import native_precisions
from engine.runtimes.openvino_runtime import OpenVinoRuntime

_log = logging.getLogger("detrdesk.runtimes")


@dataclass(frozen=True, slots=True)
class FastForm:
    """What a model can be executed by.

    Attributes:
        model_file: OpenVINO's.
        answers: See `Runtime.answers`.
    """

    model_file: Path
    answers: str


class FastRuntimes:
    """Opens fast forms; one that failed is not tried again before the next start."""

    def __init__(self, models: FastModels, conversions: Conversions) -> None:
        self._models = models
        self._conversions = conversions
        self._failed: dict[tuple[str, str], ModelError] = {}

    def form(self, model: Recipe, fingerprint: str, precision: Precision) -> FastForm | ModelError:
        """A model's fast form, or why f32 serves instead; imports no OpenVINO.

        Args:
            model: Which one.
            fingerprint: Of its files.
            precision: One of `FAST`.
        """
        made = self._models.find(fingerprint, precision)
        if made is None:
            return ModelError(
                "precision_absent",
                "There is no {precision} form of this model any more, or not of this machine and these versions: "
                "measure {precision} again. f32 answers meanwhile.",
                precision=precision,
            )
        if not made.figures.is_worth_it:
            return not_worth_it(precision, made.figures)
        model_file = made.model_file or self._f32_file(model, fingerprint)
        if model_file is None:
            return ModelError(
                "precision_unconverted", "{precision} begins when the model is converted.", precision=precision
            )
        return self._failed.get((fingerprint, made.key)) or FastForm(model_file, made.key)

    def open(self, form: FastForm, fingerprint: str) -> Runtime | None:
        """The form in memory; `None` where it does not work, then f32 has to."""
        precision = precision_in(form.answers)
        try:
            if precision not in native_precisions():
                raise processor_lacks(precision)
            return OpenVinoRuntime(form.model_file, form.answers)
        except ImportError:
            self.fail(fingerprint, form.answers, needs_openvino(precision))
        except EngineError as error:
            self.fail(fingerprint, form.answers, error)
        return None

    def fail(self, fingerprint: str, answers: str, error: EngineError) -> None:
        """A form failed: f32 serves from now on."""
        precision = precision_in(answers)
        problem = ModelError(
            "precision_broke", "{precision} failed, f32 serves: {reason}", precision=precision, reason=error.message
        )
        _log.warning("%s", problem.message)
        self._failed[fingerprint, answers] = problem

    def trust(self, fingerprint: str, answers: str) -> None:
        """What a form failed at was not its fault."""
        self._failed.pop((fingerprint, answers), None)

    def _f32_file(self, model: Recipe, fingerprint: str) -> Path | None:
        if isinstance(model, OnnxModel):
            return model.path
        converted = self._conversions.state(fingerprint).converted
        return converted.model_file if converted else None


def needs_openvino(precision: Precision) -> ModelError:
    """Why a model has no fast form: torch, or a card, executes it."""
    return ModelError(
        "precision_openvino",
        "{precision} needs OpenVINO on the processor, which does not execute this model with these settings.",
        precision=precision,
    )


def processor_lacks(precision: Precision) -> ModelError:
    """Why a machine has no fast form."""
    return ModelError(
        "precision_processor", "The processor of this machine does not compute in {precision}.", precision=precision
    )
