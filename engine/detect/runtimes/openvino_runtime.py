"""Models executed by OpenVINO on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.detect.recipe import Tensors
from engine.detect.runtimes.failures import detection_error, reason
from engine.detect.runtimes.openvino_library import openvino
from engine.errors import DetectionError, ModelError
from engine.precision import F32, precision_in, runtime_name

_OPTIONS = {
    "PERFORMANCE_HINT": "LATENCY",
    "INFERENCE_PRECISION_HINT": "f32",  # else it takes bf16 where the CPU has it, and scores differ by 0.04
    "ENABLE_CPU_PINNING": False,  # a pinned thread waits for whatever else runs on its core
    "CPU_RUNTIME_CACHE_CAPACITY": 128,  # of 5000, an R50 keeps 4 MB for each new size of image and never gives it back
}


class OpenVinoRuntime:
    """A model file in memory; see `Runtime`.

    Attributes:
        inputs, outputs: Names of its inputs and outputs, in their order.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, model_file: Path, answers: str = F32) -> None:
        """Read and compile a model file.

        Args:
            model_file: OpenVINO's `.xml`, with its `.bin` beside it, or `.onnx`.
            answers: See `Runtime.answers`.

        Raises:
            ModelError: OpenVINO is missing or cannot read the file.
            DetectionError: out of memory.
        """
        self.answers = answers
        self.name = runtime_name(OpenVinoRuntime.name, precision_in(answers))
        hint = {"INFERENCE_PRECISION_HINT": "bf16"} if answers == "bf16" else {}
        try:
            compiled = openvino().Core().compile_model(str(model_file), "CPU", {**_OPTIONS, **hint})
            self.inputs, self.outputs = _names(compiled.inputs), _names(compiled.outputs)
            # A compiled output may have the name of what was joined with it, too, and as its first.
            self._places = {name: at for at, port in enumerate(compiled.outputs) for name in port.get_names()}
            self._request: Any = compiled.create_infer_request()
        except (ImportError, OSError, RuntimeError, ValueError, MemoryError) as error:
            raise _loading_error(error, model_file) from error

    def run(self, tensors: Tensors) -> Tensors:
        """See `Runtime.run`."""
        try:
            answer = self._request.infer(dict(tensors), share_inputs=True, share_outputs=False)
            return {name: answer[at] for name, at in self._places.items()}
        except (RuntimeError, MemoryError) as error:
            raise detection_error(error, self.device) from error

    def close(self) -> None:
        """See `Runtime.close`."""
        self._request = None


def _names(ports: Sequence[Any]) -> tuple[str, ...]:
    return tuple(port.get_any_name() for port in ports)


def _loading_error(error: BaseException, model_file: Path) -> ModelError | DetectionError:
    if isinstance(error, ImportError):
        return ModelError(
            "openvino_missing",
            "The model {model} needs OpenVINO, which cannot be imported here: install it (pip install openvino).",
            model=model_file.name,
        )
    failure = detection_error(error, OpenVinoRuntime.device)
    if failure.code == "out_of_memory":
        return failure
    return ModelError(
        "model_unloadable",
        "The model {model} cannot be loaded: {reason}.",
        model=model_file.name,
        reason=reason(error),
    )
