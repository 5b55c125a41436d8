"""The process that converts one checkpoint for OpenVINO: `main`, started by `conversion_process`.

It tells its parent what it does by lines of JSON; everything that libraries print goes elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.detect.agreement import Difference, difference, largest, probe_images
from engine.detect.detector import Detector
from engine.detect.recipe import Prepared, Tensors, prepare
from engine.errors import EngineError
from engine.models.checkpoint.checkpoint import Checkpoint, read_checkpoint
from engine.models.converted import MODEL_FILE
from engine.models.fingerprint import fingerprint
from engine.runtimes.background import end_with_parent, lower_priority, tell, way_to_parent
from engine.runtimes.failures import is_out_of_memory, reason
from engine.runtimes.openvino_library import openvino
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.runtimes.torch_runtime import TorchRuntime
from engine.runtimes.transformers_model import load_model

_OUTPUTS = ("logits", "pred_boxes")


def main(folder: str, work: str, haste: str) -> None:
    """Convert the checkpoint in `folder` to `work`, compare, and tell; with the haste `none`, others go first."""
    parent = way_to_parent()
    if haste == "none":
        lower_priority()
    end_with_parent()
    try:
        found = convert(Path(folder), Path(work), lambda stage: tell(parent, stage=stage))
        tell(parent, fingerprint=fingerprint(Path(folder)), score=found.score, pixels=found.pixels)
    except Exception as error:  # tracing raises whatever a model's code raises; the user needs one sentence
        is_chance = isinstance(error, EngineError | ImportError | OSError) or is_out_of_memory(error)
        tell(parent, **{"failed" if is_chance else "impossible": reason(error)})


def convert(folder: Path, work: Path, stage: Callable[[str], None] = lambda stage: None) -> Difference:
    """Write a checkpoint in OpenVINO's form, and compare.

    Args:
        folder: The checkpoint.
        work: Where `model.xml` and `model.bin` are written.
        stage: Is told what is begun.

    Returns:
        How far its detections in the probe images are from torch's, at most.
    """
    stage("loading")
    checkpoint = read_checkpoint(folder)
    prepared = [prepare(checkpoint, image) for image in probe_images()]
    stage("converting")
    _write_model(checkpoint, [one.tensors for one in prepared], work / MODEL_FILE)
    stage("comparing")
    return _compare(checkpoint, work / MODEL_FILE, prepared)


def _write_model(checkpoint: Checkpoint, examples: Sequence[Tensors], path: Path) -> None:
    """Write a checkpoint in OpenVINO's form, f32.

    Args:
        checkpoint: What to convert.
        examples: Its tensors for some images; dimensions in which they differ may have any size.
        path: Of the `.xml`.
    """
    import torch

    model = load_model(checkpoint)

    class Traced(torch.nn.Module):  # type: ignore[misc]
        """The model from tensors, in the order of the example's names, to its outputs."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> tuple[Any, ...]:
            output = self.model(**dict(zip(names, tensors, strict=True)))
            return tuple(output[name] for name in _OUTPUTS)

    names = list(examples[0])
    example = tuple(torch.from_numpy(examples[0][name]) for name in names)
    with torch.inference_mode(), _sizes_traced(torch):
        converted = openvino().convert_model(Traced().eval(), example_input=example)
    for port, name in zip([*converted.inputs, *converted.outputs], [*names, *_OUTPUTS], strict=True):
        port.tensor.set_names({name})
    converted.reshape({name: _shape([one[name].shape for one in examples]) for name in names})
    openvino().save_model(converted, path, compress_to_fp16=False)


@contextmanager
def _sizes_traced(torch: Any) -> Iterator[None]:
    """Let a list of sizes, made a tensor, depend on the image: to the tracer `as_tensor` is a constant, `stack` is not.

    Deformable attention divides by such sizes.
    """
    as_tensor = torch.as_tensor

    def traced(data: Any, dtype: Any = None, device: Any = None) -> Any:
        if (
            isinstance(data, list)
            and data
            and all(isinstance(row, tuple) and all(map(torch.is_tensor, row)) for row in data)
        ):
            return torch.stack([torch.stack(row) for row in data]).to(device, dtype)
        return as_tensor(data, dtype=dtype, device=device)

    torch.as_tensor = traced
    try:
        yield
    finally:
        torch.as_tensor = as_tensor


def _compare(checkpoint: Checkpoint, model_file: Path, prepared: Sequence[Prepared]) -> Difference:
    """How far the converted model's detections are from torch's, at most."""
    runtimes = (OpenVinoRuntime(model_file), TorchRuntime(checkpoint, "cpu"))
    ours, reference = (Detector("", checkpoint, runtime) for runtime in runtimes)
    return largest(difference(ours.detect(one), reference.detect(one)) for one in prepared)


def _shape(shapes: Sequence[tuple[int, ...]]) -> list[int]:
    """The sizes in which all agree; -1, any size, where they do not."""
    return [sizes[0] if len(set(sizes)) == 1 else -1 for sizes in zip(*shapes, strict=True)]
