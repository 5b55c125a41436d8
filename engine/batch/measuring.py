"""Making and measuring a reduced-precision form of a model on the user's images."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.batch.precisions import Offer, obstacle, offer_of
from engine.detect.detection import Filter
from engine.detect.precision import Precision
from engine.engine import Engine
from engine.errors import CancelledError, EngineError, ModelError
from engine.image.source import Source, SourceLike, parse_source
from engine.inference.runtime_selector import needs_openvino
from engine.models.converted import Converted
from engine.models.fast import figures_from
from engine.models.fingerprint import fingerprint
from engine.models.onnx.model import OnnxModel
from engine.runtimes.conversion_process import Progress, run_conversion
from engine.runtimes.quantise import QuantisationTask
from engine.storage.lock import FileLock

LEAST_IMAGES = {"bf16": 5, "int8": 20}
"""With fewer, neither calibration nor measurement is reliable."""
MOST_IMAGES = 300
_MOST_MEASURED = 100
_MEASURED_OF = 3
"""Every third image is measured on, the others calibrate; the two must not overlap."""
_POLL_SECONDS = 0.2


def measure(
    engine: Engine,
    name: str,
    precision: Precision,
    images: Sequence[SourceLike],
    progress: Progress = lambda stage, done, total: None,
    cancelled: Callable[[], bool] = bool,
    in_haste: bool = False,
) -> Offer:
    """Make a reduced-precision form of a model and measure it on images, in another process; takes minutes.

    Args:
        engine: Of the model; keeps the form.
        name: Of the model.
        precision: One of `FAST`.
        images: Sources, at least `LEAST_IMAGES`; of more than `MOST_IMAGES`, evenly spaced ones are used.
        progress: Called in this thread.
        cancelled: Polled in another thread; true gives up within a second.
        in_haste: Whether somebody waits for it; else it has the lowest priority.

    Raises:
        ModelError: it cannot be done here, the images are too few, or it failed.
        CancelledError: `cancelled` returned true.
    """
    problem = obstacle(engine, name, precision, is_to_be_made=True)
    if problem is not None:
        raise problem
    chosen = _spread(images, MOST_IMAGES)
    if len(chosen) < LEAST_IMAGES[precision]:
        raise ModelError(
            "precision_images",
            "{precision} needs at least {count} images to be measured on.",
            precision=precision,
            count=LEAST_IMAGES[precision],
        )
    f32_file = _f32_file(engine, name, progress, cancelled)
    store = engine.fast.store
    try:
        with (
            tempfile.TemporaryDirectory(prefix="detrdesk-images-") as fetched,
            _conversion_lock(store.folder, cancelled),
            store.work_folder() as work,
        ):
            paths = _as_files(engine, chosen, Path(fetched), cancelled)
            _task(engine, name, precision, f32_file, paths).write(work)
            path = engine.catalog.path(name)
            result = run_conversion("engine.runtimes.quantise", path, work, in_haste, progress, cancelled)
            if cancelled():
                raise CancelledError
            _keep(engine, name, precision, work, result)
    except OSError as error:
        raise _failed(precision, str(error)) from error
    return offer_of(engine, name, precision)


def _spread(images: Sequence[SourceLike], most: int) -> list[Source]:
    """Return at most so many, evenly spaced: a folder is often sorted by content."""
    count = min(len(images), most)
    return [parse_source(images[at * len(images) // count]) for at in range(count)]


def _f32_file(engine: Engine, name: str, progress: Progress, cancelled: Callable[[], bool]) -> Path:
    """Return the model as OpenVINO executes it in f32, converted if it was not.

    Raises:
        ModelError: it cannot be converted.
        CancelledError: `cancelled` said so.
    """
    model = engine.recipe(name)
    if isinstance(model, OnnxModel):
        return model.path
    state = engine.convert(name, lambda at: progress(at.stage, at.percent or 0, 100 if at.percent else 0), cancelled)
    if cancelled():
        raise CancelledError
    found = engine.fast.store.find(fingerprint(engine.catalog.path(name)))
    if isinstance(found, Converted):
        return found.model_file
    raise state.problem or needs_openvino("f32")


@contextmanager
def _conversion_lock(folder: Path, cancelled: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock for conversions, which this user's processes share."""
    folder.mkdir(parents=True, exist_ok=True)
    while (lock := FileLock.take(folder / ".lock")) is None:
        if cancelled():
            raise CancelledError
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _as_files(engine: Engine, images: Sequence[Source], fetched: Path, cancelled: Callable[[], bool]) -> list[str]:
    """Return paths of the images; others than files are written to `fetched`, unreadable ones left out."""
    paths = []
    for at, source in enumerate(images):
        if source.kind == "path":
            paths.append(str(Path(source.location).absolute()))
            continue
        try:
            (fetched / str(at)).write_bytes(engine.read(source, cancelled).content)
        except CancelledError:
            raise
        except EngineError:
            continue
        paths.append(str(fetched / str(at)))
    return paths


def _task(engine: Engine, name: str, precision: Precision, f32_file: Path, paths: Sequence[str]) -> QuantisationTask:
    """Return the task: which images calibrate, and which are measured on."""
    threshold = engine.catalog.defaults(name).threshold
    measured = paths[_MEASURED_OF - 1 :: _MEASURED_OF] if precision == "int8" else paths
    apart = set(measured)
    return QuantisationTask(
        precision=precision,
        f32_file=str(f32_file),
        calibration=tuple(path for path in paths if path not in apart),
        images=tuple(measured[:_MOST_MEASURED]),
        threshold=Filter().threshold if threshold is None else threshold,
    )


def _keep(engine: Engine, name: str, precision: Precision, work: Path, result: dict[str, Any]) -> None:
    content = fingerprint(engine.catalog.path(name))
    if "failed" in result:
        raise _failed(precision, result["failed"])
    if result["fingerprint"] != content:
        raise _failed(precision, "its files changed meanwhile")
    if result["figures"] is None:
        raise _failed(precision, "the model finds nothing in these images to compare")
    engine.fast.keep(work, content, precision, result["calibration"], figures_from(result["figures"]))


def _failed(precision: Precision, reason: str) -> ModelError:
    return ModelError(
        "precision_failed", "{precision} could not be measured: {reason}.", precision=precision, reason=reason
    )
