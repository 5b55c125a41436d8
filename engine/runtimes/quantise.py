"""The process that makes and measures a fast form of a model: `main`, started by `ConversionProcess`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.detect.average_precision import Compared, average_precision, changes
from engine.detect.detector import Detector
from engine.detect.precision import F32, Precision
from engine.detect.recipe import Prepared, Recipe, Tensors, prepare
from engine.errors import EngineError
from engine.image.decode import LOCAL_LIMITS, decode_image
from engine.models.converted import MODEL_FILE
from engine.models.digests import file_digest
from engine.models.fast import Figures, calibration_key, processor
from engine.models.fingerprint import fingerprint
from engine.models.reading import read_model
from engine.runtimes.background import end_with_parent, lower_priority, tell, way_to_parent
from engine.runtimes.failures import reason
from engine.runtimes.openvino_library import openvino
from engine.runtimes.openvino_runtime import OpenVinoRuntime

REQUEST = "request.json"
_TIMED = 12
"""Images that are timed; each is new to neither form by then."""
_ROUNDS = 3
_HEAD_KINDS = frozenset({"Add", "Multiply", "MatMul", "Relu", "Sigmoid", "Reshape", "Squeeze", "Unsqueeze", "Convert"})

Stage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the process, beside the model.

    Attributes:
        precision: What the form is to compute in.
        f32_file: The model as OpenVINO executes it in f32.
        calibration: Paths of the images that it is calibrated with.
        images: Paths of those that it is measured on.
        threshold: Detections of f32 above this are the truth.
    """

    precision: Precision
    f32_file: str
    calibration: tuple[str, ...]
    images: tuple[str, ...]
    threshold: float

    def write(self, work: Path) -> None:
        """Leave it where the process looks."""
        (work / REQUEST).write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def taken(cls, work: Path) -> Request:
        """Read and remove it."""
        told: dict[str, Any] = json.loads((work / REQUEST).read_bytes())
        (work / REQUEST).unlink()
        return cls(**{**told, "calibration": tuple(told["calibration"]), "images": tuple(told["images"])})


def main(model: str, work: str, haste: str) -> None:
    """Make and measure what the request in `work` asks of a model; with the haste `none`, others go first."""
    parent = way_to_parent()
    if haste == "none":
        lower_priority()
    end_with_parent()
    try:
        request = Request.taken(Path(work))
        recipe = read_model(Path(model))
        fast_file, key, calibrated = Path(request.f32_file), "", 0
        if request.precision == "int8":
            fast_file, key, calibrated = _quantise(recipe, request, Path(work), lambda stage: tell(parent, stage=stage))
        figures = _measure(recipe, request, fast_file, calibrated, lambda stage: tell(parent, stage=stage))
        tell(parent, fingerprint=fingerprint(Path(model)), calibration=key, figures=figures and asdict(figures))
    except Exception as error:  # NNCF raises whatever its parts raise; the user needs one sentence
        tell(parent, failed=reason(error))


def _quantise(recipe: Recipe, request: Request, work: Path, stage: Stage) -> tuple[Path, str, int]:
    """Write the model quantised: where, what names its calibration, and how many images that really had."""
    ov = openvino()  # before NNCF, which would load its telemetry
    import nncf

    stage("loading")
    model = ov.Core().read_model(request.f32_file)
    images = _Calibration(recipe, request.calibration, stage)
    quantised = nncf.quantize(
        model,
        nncf.Dataset(images),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(request.calibration),
        ignored_scope=nncf.IgnoredScope(names=head_layers(model), validate=False),
    )
    ov.save_model(quantised, work / MODEL_FILE, compress_to_fp16=False)
    key = calibration_key(images.digests.values(), f"nncf {version('nncf')}")
    return work / MODEL_FILE, key, len(images.digests)


class _Calibration:
    """A model's tensors for one image after the other, made anew each time: those of 300 images are gigabytes.

    Attributes:
        digests: Those of the files that could be read, by path.
    """

    def __init__(self, recipe: Recipe, paths: Sequence[str], stage: Stage) -> None:
        self.digests: dict[str, bytes] = {}
        self._recipe = recipe
        self._paths = paths
        self._stage = stage
        self._steps = 0

    def __iter__(self) -> Iterator[Tensors]:
        most = 2 * len(self._paths)  # NNCF goes through them twice
        for prepared in _prepared(self._recipe, self._paths, self.digests):
            self._steps = min(self._steps + 1, most)
            self._stage(f"calibrating {self._steps}/{most}")
            yield dict(prepared.tensors)


def head_layers(model: Any) -> list[str]:
    """The multiplications between what the heads share and each output, by name: cheap, and what scores hang on most.

    Args:
        model: An `openvino.Model`.
    """
    found: dict[str, None] = {}
    ways = [output.get_node().input(0).get_source_output() for output in model.outputs]
    while ways:
        output = ways.pop()
        node = output.get_node()
        is_shared = len(output.get_target_inputs()) > 1
        if is_shared or node.get_type_name() not in _HEAD_KINDS:
            continue
        if node.get_type_name() == "MatMul":
            found[node.get_friendly_name()] = None
        ways.extend(each.get_source_output() for each in node.inputs())
    return list(found)


def _measure(recipe: Recipe, request: Request, fast_file: Path, calibrated: int, stage: Stage) -> Figures | None:
    """Compare both forms on the images, in turns; `None` where f32 finds nothing above the threshold in them."""
    answers = (F32, request.precision)
    f32, fast = (
        Detector("", recipe, OpenVinoRuntime(file, answer))
        for file, answer in zip((Path(request.f32_file), fast_file), answers, strict=True)
    )
    compared: list[Compared] = []
    times: list[tuple[float, float]] = []
    for at, prepared in enumerate(_prepared(recipe, request.images)):
        stage(f"measuring {at + 1}/{len(request.images)}")
        truth = f32.detect(prepared).above(request.threshold)
        compared.append(Compared(fast.detect(prepared), truth))
        if at < _TIMED:
            times.extend(_times((f32, fast), prepared))
    precision = average_precision(compared)
    if precision is None:
        return None
    changed = changes(compared, request.threshold)
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
        threshold=request.threshold,
        images=len(compared),
        calibrated=calibrated,
        processor=processor(),
        at=time.time(),
    )


def _times(detectors: Sequence[Detector], prepared: Prepared) -> Iterator[tuple[float, float]]:
    """Milliseconds of both models for an image that both know already, several times in turns."""
    for _ in range(_ROUNDS):
        slow, quick = (detector.detect(prepared).timing.model for detector in detectors)
        yield slow, quick


def _prepared(recipe: Recipe, paths: Sequence[str], digests: dict[str, bytes] | None = None) -> Iterator[Prepared]:
    """The images that can be read, one after the other; notes the digests of their files."""
    for path in paths:
        try:
            image = decode_image(Path(path).read_bytes(), LOCAL_LIMITS)
            if digests is not None:
                digests[path] = file_digest(Path(path))
        except (EngineError, OSError):
            continue
        yield prepare(recipe, image)
