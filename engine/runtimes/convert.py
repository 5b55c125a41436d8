"""The process that converts one checkpoint for OpenVINO; `main` is its entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.detect.agreement import Disagreement, difference, largest
from engine.detect.recipe import Prepared, Tensors, prepare
from engine.errors import EngineError
from engine.models.checkpoint.checkpoint import Checkpoint, read_checkpoint
from engine.models.converted import MODEL_FILE
from engine.models.fingerprint import fingerprint
from engine.runtimes.background import begin_child, report
from engine.runtimes.conversion_process import Progress
from engine.runtimes.detector import Detector
from engine.runtimes.failures import is_out_of_memory, reason
from engine.runtimes.openvino_library import openvino
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.runtimes.probe_images import probe_images
from engine.runtimes.torch_runtime import TorchRuntime
from engine.runtimes.transformers_model import load_model

_IMPORTED, _BUILT, _TRACED, _WRITTEN, _RUN, _LOADED, _COMPARED = 8, 26, 41, 54, 73, 76, 100
"""Percent of a conversion's time that is over after each step, DETR-R50 on two cores: libraries imported, model built,
traced, written, run by OpenVINO, loaded by torch, run by torch on the probe images."""

_OUTPUTS = ("logits", "pred_boxes")


def main(folder: str, work: str, haste: str) -> None:
    """Convert the checkpoint in `folder` to `work`, compare, and report; haste `none` means the lowest priority."""
    reports, progress = begin_child(haste)
    try:
        found = convert(Path(folder), Path(work), progress)
        report(reports, fingerprint=fingerprint(Path(folder)), score=found.score, pixels=found.pixels)
    except Exception as error:  # tracing raises whatever a model's code raises; the user needs one sentence
        is_chance = isinstance(error, EngineError | ImportError | OSError) or is_out_of_memory(error)
        report(reports, **{"failed" if is_chance else "impossible": reason(error)})


def convert(folder: Path, work: Path, progress: Progress = lambda stage, done, total: None) -> Disagreement:
    """Write a checkpoint in OpenVINO's form and compare both on the probe images.

    Args:
        folder: The checkpoint.
        work: Where `model.xml` and `model.bin` are written.
        progress: Receives `loading`, `converting` or `comparing`, and the percent of the whole that is done, of 100.

    Returns:
        The largest difference of its detections in the probe images from those of torch.
    """
    progress("loading", 0, 100)
    checkpoint = read_checkpoint(folder)
    prepared = [prepare(checkpoint, image) for image in probe_images()]
    _write_model(checkpoint, [one.tensors for one in prepared], work / MODEL_FILE, progress)
    return _compare(checkpoint, work / MODEL_FILE, prepared, progress)


def _write_model(checkpoint: Checkpoint, examples: Sequence[Tensors], path: Path, progress: Progress) -> None:
    """Write a checkpoint in OpenVINO's form, f32.

    Args:
        checkpoint: What to convert.
        examples: Its tensors for some images; dimensions in which they differ become dynamic.
        path: Of the `.xml`.
        progress: As that of `convert`.
    """
    import torch

    progress("loading", _IMPORTED, 100)
    model = load_model(checkpoint)
    progress("converting", _BUILT, 100)

    class Traced(torch.nn.Module):  # type: ignore[misc]
        """The model as a function of tensors in the order of the example's names."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> tuple[Any, ...]:
            output = self.model(**dict(zip(names, tensors, strict=True)))
            return tuple(output[name] for name in _OUTPUTS)

    names = list(examples[0])
    example = tuple(torch.from_numpy(examples[0][name]) for name in names)
    with torch.inference_mode(), _traceable(torch, lambda: progress("converting", _TRACED, 100)):
        converted = openvino().convert_model(Traced().eval(), example_input=example)
    for port, name in zip([*converted.inputs, *converted.outputs], [*names, *_OUTPUTS], strict=True):
        port.tensor.set_names({name})
    converted.reshape({name: _shape([one[name].shape for one in examples]) for name in names})
    openvino().save_model(converted, path, compress_to_fp16=False)
    progress("comparing", _WRITTEN, 100)


@contextmanager
def _traceable(torch: Any, traced: Callable[[], None]) -> Iterator[None]:
    """Change how models are traced in this block.

    `as_tensor` of a list of sizes is a constant to the tracer, `stack` is not; deformable attention divides by such
    sizes. The tracer does not trace a second time to check itself: `_compare` checks more. Calls `traced` at its end.
    """
    as_tensor, trace = torch.as_tensor, torch.jit.trace

    def as_traced_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
        if (
            isinstance(data, list)
            and data
            and all(isinstance(row, tuple) and all(map(torch.is_tensor, row)) for row in data)
        ):
            return torch.stack([torch.stack(row) for row in data]).to(device, dtype)
        return as_tensor(data, dtype=dtype, device=device)

    def trace_once(*arguments: Any, **options: Any) -> Any:
        module = trace(*arguments, **{**options, "check_trace": False})
        traced()
        return module

    torch.as_tensor, torch.jit.trace = as_traced_tensor, trace_once
    try:
        yield
    finally:
        torch.as_tensor, torch.jit.trace = as_tensor, trace


def compare(folder: Path, model_file: Path) -> Disagreement:
    """Return the largest difference of a converted model's detections in the probe images from those of torch."""
    checkpoint = read_checkpoint(folder)
    prepared = [prepare(checkpoint, image) for image in probe_images()]
    return _compare(checkpoint, model_file, prepared, lambda stage, done, total: None)


def _compare(
    checkpoint: Checkpoint, model_file: Path, prepared: Sequence[Prepared], progress: Progress
) -> Disagreement:
    """Return the largest difference of the converted model's detections from those of torch."""
    ours = Detector("", checkpoint, OpenVinoRuntime(model_file))
    found = [ours.detect(one) for one in prepared]
    progress("comparing", _RUN, 100)
    reference = Detector("", checkpoint, TorchRuntime(checkpoint, "cpu"))
    differences = []
    for at, (one, detections) in enumerate(zip(prepared, found, strict=True)):
        progress("comparing", _LOADED + (_COMPARED - _LOADED) * at // len(found), 100)
        differences.append(difference(detections, reference.detect(one)))
    return largest(differences)


def _shape(shapes: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the sizes in which all agree; -1, a dynamic dimension, where they do not."""
    return [sizes[0] if len(set(sizes)) == 1 else -1 for sizes in zip(*shapes, strict=True)]
