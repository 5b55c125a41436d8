"""The process that makes and measures a reduced-precision form of a model; `main` is its entry point."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.detect.average_precision import Compared, average_precision, changes
from engine.detect.precision import F32, Precision
from engine.detect.recipe import Prepared, Recipe, Tensors, prepare
from engine.errors import EngineError
from engine.image.decode import LOCAL_LIMITS, decode_image
from engine.models.converted import MODEL_FILE
from engine.models.digests import file_digest
from engine.models.fast import Figures, calibration_key, processor
from engine.models.fingerprint import fingerprint
from engine.models.reading import read_model
from engine.runtimes.background import begin_child, report
from engine.runtimes.conversion_process import Progress
from engine.runtimes.detector import Detector
from engine.runtimes.failures import reason
from engine.runtimes.openvino_library import openvino
from engine.runtimes.openvino_runtime import OpenVinoRuntime

TASK_FILE = "task.json"
_TIMED = 12
"""Images that are timed, after both forms have run on them once."""
_ROUNDS = 3
_HEAD_KINDS = frozenset({"Add", "Multiply", "MatMul", "Relu", "Sigmoid", "Reshape", "Squeeze", "Unsqueeze", "Convert"})


@dataclass(frozen=True, slots=True)
class QuantisationTask:
    """The arguments of the process beside the model.

    Attributes:
        precision: The precision of the form.
        f32_file: The model as OpenVINO executes it in f32.
        calibration: Paths of the images for calibration.
        images: Paths of the images to measure on.
        threshold: Detections of f32 above this are the reference.
    """

    precision: Precision
    f32_file: str
    calibration: tuple[str, ...]
    images: tuple[str, ...]
    threshold: float

    def write(self, work: Path) -> None:
        """Write the file that the process takes."""
        (work / TASK_FILE).write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def taken(cls, work: Path) -> QuantisationTask:
        """Read and remove the file."""
        values: dict[str, Any] = json.loads((work / TASK_FILE).read_bytes())
        (work / TASK_FILE).unlink()
        return cls(**{**values, "calibration": tuple(values["calibration"]), "images": tuple(values["images"])})


def main(model: str, work: str, haste: str) -> None:
    """Make and measure what the task in `work` asks of a model; haste `none` means the lowest priority."""
    reports, progress = begin_child(haste)
    try:
        task = QuantisationTask.taken(Path(work))
        recipe = read_model(Path(model))
        fast_file, key, calibrated = Path(task.f32_file), "", 0
        if task.precision == "int8":
            fast_file, key, calibrated = _quantise(recipe, task, Path(work), progress)
        figures = _measure(recipe, task, fast_file, calibrated, progress)
        report(reports, fingerprint=fingerprint(Path(model)), calibration=key, figures=figures and asdict(figures))
    except Exception as error:  # NNCF raises whatever its parts raise; the user needs one sentence
        report(reports, failed=reason(error))


def _quantise(recipe: Recipe, task: QuantisationTask, work: Path, progress: Progress) -> tuple[Path, str, int]:
    """Write the model quantised.

    Returns:
        The file, the key of its calibration, and the number of images that could be read for it.
    """
    ov = openvino()  # before NNCF, which would load its telemetry
    import nncf

    progress("loading", 0, 0)
    model = ov.Core().read_model(task.f32_file)
    images = _Calibration(recipe, task.calibration, progress)
    quantised = nncf.quantize(
        model,
        nncf.Dataset(images),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(task.calibration),
        ignored_scope=nncf.IgnoredScope(names=head_layers(model), validate=False),
    )
    ov.save_model(quantised, work / MODEL_FILE, compress_to_fp16=False)
    key = calibration_key(images.digests.values(), f"nncf {version('nncf')}")
    return work / MODEL_FILE, key, len(images.digests)


class _Calibration:
    """A model's tensors of one image after the other, computed again in each pass: those of 300 images are gigabytes.

    Attributes:
        digests: Those of the files that could be read, by path.
    """

    def __init__(self, recipe: Recipe, paths: Sequence[str], progress: Progress) -> None:
        self.digests: dict[str, bytes] = {}
        self._recipe = recipe
        self._paths = paths
        self._progress = progress
        self._steps = 0

    def __iter__(self) -> Iterator[Tensors]:
        total = 2 * len(self._paths)  # NNCF makes two passes
        for prepared in _prepared(self._recipe, self._paths, self.digests):
            self._steps = min(self._steps + 1, total)
            self._progress("calibrating", self._steps, total)
            yield dict(prepared.tensors)


def head_layers(model: Any) -> list[str]:
    """Return the names of the matrix products between the heads' shared input and each output.

    They are cheap, and scores depend on them most.

    Args:
        model: An `openvino.Model`.
    """
    found: dict[str, None] = {}
    outputs = [output.get_node().input(0).get_source_output() for output in model.outputs]
    while outputs:
        output = outputs.pop()
        node = output.get_node()
        is_shared = len(output.get_target_inputs()) > 1
        if is_shared or node.get_type_name() not in _HEAD_KINDS:
            continue
        if node.get_type_name() == "MatMul":
            found[node.get_friendly_name()] = None
        outputs.extend(each.get_source_output() for each in node.inputs())
    return list(found)


def _measure(
    recipe: Recipe, task: QuantisationTask, fast_file: Path, calibrated: int, progress: Progress
) -> Figures | None:
    """Compare both forms on the images, in turns; `None` where f32 finds nothing above the threshold in them."""
    answers = (F32, task.precision)
    f32, fast = (
        Detector("", recipe, OpenVinoRuntime(file, answer))
        for file, answer in zip((Path(task.f32_file), fast_file), answers, strict=True)
    )
    compared: list[Compared] = []
    times: list[tuple[float, float]] = []
    for at, prepared in enumerate(_prepared(recipe, task.images)):
        progress("measuring", at + 1, len(task.images))
        truth = f32.detect(prepared).above(task.threshold)
        compared.append(Compared(fast.detect(prepared), truth))
        if at < _TIMED:
            times.extend(_times((f32, fast), prepared))
    precision = average_precision(compared)
    if precision is None:
        return None
    changed = changes(compared, task.threshold)
    ratios = [slow / quick for slow, quick in times]
    return Figures(
        f32_ms=statistics.median(slow for slow, _ in times),
        fast_ms=statistics.median(quick for _, quick in times),
        speedup=statistics.median(ratios),
        slowest=min(ratios),
        fastest=max(ratios),
        average_precision=precision,
        kept=changed.kept,
        lost=changed.lost,
        new=changed.new,
        threshold=task.threshold,
        images=len(compared),
        calibrated=calibrated,
        processor=processor(),
        at=time.time(),
    )


def _times(detectors: Sequence[Detector], prepared: Prepared) -> Iterator[tuple[float, float]]:
    """Yield the milliseconds of both models for an image that both have run on, several times in turns."""
    for _ in range(_ROUNDS):
        slow, quick = (detector.detect(prepared).timing.model for detector in detectors)
        yield slow, quick


def _prepared(recipe: Recipe, paths: Sequence[str], digests: dict[str, bytes] | None = None) -> Iterator[Prepared]:
    """Yield the images that can be read, prepared; `digests` receives those of their files."""
    for path in paths:
        try:
            image = decode_image(Path(path).read_bytes(), LOCAL_LIMITS)
            if digests is not None:
                digests[path] = file_digest(Path(path))
        except (EngineError, OSError):
            continue
        yield prepare(recipe, image)
