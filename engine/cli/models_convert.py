"""Conversion of a model for OpenVINO: `detrdesk models convert`, and the last step of `models add` and `download`."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import closing

from engine.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED
from engine.cli.progress_line import ProgressLine
from engine.engine import Engine
from engine.errors import EngineError
from engine.inference.conversions import Conversion
from engine.inference.runtime_selector import RuntimeState, may_convert
from engine.models.converted import versions
from engine.models.onnx.model import OnnxModel


def run_convert(given: argparse.Namespace) -> int:
    """Convert a model, also one whose conversion was refused or failed before; 1 where it is refused or fails.

    Raises:
        EngineError: there is no such model, or it cannot be read.
    """
    with closing(Engine()) as engine:
        name = engine.catalog.name_of(given.name)
        reason = _unneeded(engine, name)
        if reason is not None:
            print(f"{name} needs no conversion: {reason}.")
            return DONE
        if not versions()["openvino"]:
            _tell(f"{name} cannot be converted: OpenVINO is not installed.")
            return SOME_FAILED
        try:
            state = _convert(engine, name, again=True)
        except KeyboardInterrupt:
            _tell(f"stopped; {name} is not converted.")
            return INTERRUPTED
    if state.problem is not None:
        _tell_problem(name, state.problem)
        return SOME_FAILED
    print(f"{name} is converted{_differences(state)}.")
    return DONE


def convert_added(name: str) -> int:
    """Convert a model that was just added, where OpenVINO is to execute it.

    A refused or failed conversion is printed and is not a failure, as PyTorch executes the model.
    """
    try:
        with closing(Engine()) as engine:
            if engine.settings.runtime == "torch" or not may_convert(engine.recipe(name), engine.settings):
                return DONE
            state = _convert(engine, name, again=False)
    except KeyboardInterrupt:
        _tell(f"conversion stopped; {name} is added, and is converted in the background when it is first used.")
        return INTERRUPTED
    except EngineError as error:
        _tell(error.message)
        return DONE
    if state.problem is not None:
        _tell_problem(name, state.problem)
    return DONE


def _convert(engine: Engine, name: str, again: bool) -> RuntimeState:
    # `Conversions` logs what is printed here; without a handler, logging would print it a second time.
    logging.getLogger("detrdesk").addHandler(logging.NullHandler())
    line = ProgressLine()

    def show(conversion: Conversion) -> None:
        if not conversion.is_under_way:
            return
        percent = conversion.percent
        text = f"converting {name}: {conversion.stage}" + ("" if percent is None else f", {percent} %")
        line.show(text, (conversion.stage, percent and percent // 10))

    try:
        return engine.convert(name, show, again=again)
    finally:
        line.end()


def _unneeded(engine: Engine, name: str) -> str | None:
    """Return why a model is not to be converted with these settings; `None` where it is."""
    model, settings = engine.recipe(name), engine.settings
    if isinstance(model, OnnxModel):
        return "OpenVINO executes ONNX files as they are"
    if settings.runtime == "torch":
        return "the runtime is set to torch"
    if versions()["openvino"] and not may_convert(model, settings):
        return f"a GPU executes it (the device is set to {settings.device})"
    return None


def _differences(state: RuntimeState) -> str:
    if state.score_difference is None or state.pixel_difference is None:
        return ""
    return (
        f": scores differ from PyTorch's by {state.score_difference:.1g}, boxes by {state.pixel_difference:.2g} pixels"
    )


def _tell_problem(name: str, problem: EngineError) -> None:
    _tell(f"{name} is executed by PyTorch. {problem.message}")


def _tell(message: str) -> None:
    print(f"detrdesk: {message}", file=sys.stderr, flush=True)
