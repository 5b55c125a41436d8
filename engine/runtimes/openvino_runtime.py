"""The runtime that executes models by OpenVINO on the CPU."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

from engine.detect.precision import F32, precision_in, runtime_name
from engine.detect.recipe import Tensors
from engine.errors import DetectionError, ModelError
from engine.runtimes.failures import detection_error, reason
from engine.runtimes.openvino_library import openvino

_OPTIONS = {
    "INFERENCE_PRECISION_HINT": "f32",  # else bf16 where the CPU supports it: scores differ by 0.04
    "ENABLE_CPU_PINNING": False,  # a pinned thread waits for whatever else runs on its core
    "CPU_RUNTIME_CACHE_CAPACITY": 128,  # not 5000: an R50 keeps 4 MB for each size of image
}

_BATCH_SECONDS = 0.1
"""For so long others may wait for a batch."""
_LARGEST_BATCH = 8


class OpenVinoRuntime:
    """A model file in memory; see `Runtime`.

    A single image is computed by all cores, which wait for each other after each layer; in a batch each core has an
    image of its own. For batches a converted model is compiled a second time, when that is first needed; not an `.onnx`
    file, which may have changed by then.

    Attributes:
        inputs, outputs: Names of its inputs and outputs, in their order.
    """

    name = "openvino"
    device = "cpu"
    takes_pixels = False

    def __init__(self, model_file: Path, variant: str = F32) -> None:
        """Read and compile a model file.

        Args:
            model_file: OpenVINO's `.xml`, with its `.bin` beside it, or `.onnx`.
            variant: See `Runtime.variant`.

        Raises:
            ModelError: OpenVINO is missing or cannot read the file.
            DetectionError: out of memory.
        """
        self.variant = variant
        self.name = runtime_name(OpenVinoRuntime.name, precision_in(variant))
        self._model_file = model_file
        self._requests: list[Any] = []
        self._largest_batch = _LARGEST_BATCH if model_file.suffix == ".xml" else 1
        self._fastest_seconds = math.inf
        try:
            compiled = self._compiled("LATENCY")
            self.inputs, self.outputs = _names(compiled.inputs), _names(compiled.outputs)
            # A compiled output may have the name of what was joined with it, too, and as its first.
            self._places = {name: at for at, port in enumerate(compiled.outputs) for name in port.get_names()}
            self._request: Any = compiled.create_infer_request()
        except (ImportError, OSError, RuntimeError, ValueError, MemoryError) as error:
            raise _loading_error(error, model_file) from error

    @property
    def batch_size(self) -> int:
        """See `Runtime.batch_size`; 1 until the first image was timed."""
        return max(1, min(int(_BATCH_SECONDS / self._fastest_seconds), self._largest_batch))

    def run(self, tensors: Tensors) -> Tensors:
        """See `Runtime.run`."""
        started = time.perf_counter()
        try:
            answer = self._request.infer(dict(tensors), share_inputs=True, share_outputs=False)
        except (RuntimeError, MemoryError) as error:
            raise detection_error(error, self.device) from error
        self._fastest_seconds = min(self._fastest_seconds, time.perf_counter() - started)
        return {name: answer[at] for name, at in self._places.items()}

    def run_batch(self, images: Iterable[Tensors]) -> list[Tensors]:
        """See `Runtime.run_batch`."""
        answers: list[Tensors] = []
        begun: deque[Any] = deque()
        with self._no_batches_after_failure():
            requests = self._batch_requests()
        free = cycle(requests)
        try:
            for tensors in images:
                with self._no_batches_after_failure():
                    if len(begun) == len(requests):
                        answers.append(self._answer(begun.popleft()))
                    request = next(free)
                    request.start_async(dict(tensors), share_inputs=True)
                    begun.append(request)
            while begun:
                with self._no_batches_after_failure():
                    answers.append(self._answer(begun.popleft()))
        finally:
            for request in begun:  # they still read the input arrays
                with suppress(RuntimeError):
                    request.wait()
        return answers

    def _batch_requests(self) -> list[Any]:
        """Return two requests a stream, so that the next one is queued when a core becomes free."""
        if not self._requests:
            compiled = self._compiled("THROUGHPUT")
            streams = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
            self._requests = [compiled.create_infer_request() for _ in range(2 * streams)]
        return self._requests[: self.batch_size]

    @contextmanager
    def _no_batches_after_failure(self) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            self._largest_batch = 1
            raise detection_error(error, self.device) from error

    def _answer(self, request: Any) -> Tensors:
        request.wait()
        outputs = [tensor.data.copy() for tensor in request.output_tensors]
        return {name: outputs[at] for name, at in self._places.items()}

    def close(self) -> None:
        """See `Runtime.close`."""
        self._request, self._requests = None, []

    def _compiled(self, hint: str) -> Any:
        precision = {"INFERENCE_PRECISION_HINT": "bf16"} if self.variant == "bf16" else {}
        most = {"PERFORMANCE_HINT_NUM_REQUESTS": _LARGEST_BATCH} if hint == "THROUGHPUT" else {}
        options = {**_OPTIONS, **precision, **most, "PERFORMANCE_HINT": hint}
        return openvino().Core().compile_model(str(self._model_file), "CPU", options)


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
