"""Lower-precision forms of models and their measurements on this machine, stored with the converted models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from engine.detect.precision import Precision
from engine.errors import ModelError
from engine.models.converted import MODEL_FILE, ConvertedModels

LEAST_SPEEDUP = 1.15
"""Least speedup for which a form with different detections is worth using."""
_MAKING = 1
"""Version of how fast forms are made and measured; a change makes them anew."""
_PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Figures:
    """Measurements of a fast form on the user's images, alternating with f32.

    Attributes:
        f32_ms, fast_ms: Median milliseconds per image.
        speedup: Median of the ratios f32 / fast per image.
        slowest, fastest: Least and greatest of these ratios.
        average_precision: COCO AP@[.5:.95], 0..1, with the f32 detections above the threshold as ground truth.
        kept, lost, new: Detections above the threshold that both have, that only f32 has, that only the fast form has.
        threshold: That threshold.
        images: Number of images compared.
        calibrated: Number of other images used for calibration.
        processor: Name of the processor.
        at: Time of measurement, seconds since the epoch.
    """

    f32_ms: float
    fast_ms: float
    speedup: float
    slowest: float
    fastest: float
    average_precision: float
    kept: int
    lost: int
    new: int
    threshold: float
    images: int
    calibrated: int
    processor: str
    at: float

    @property
    def is_worth_it(self) -> bool:
        """Whether `speedup` reaches `LEAST_SPEEDUP`."""
        return self.speedup >= LEAST_SPEEDUP


@dataclass(frozen=True, slots=True)
class FastModel:
    """A lower-precision form of a model.

    Attributes:
        precision: Precision of its arithmetic.
        key: Part of the cache key for what detections depend on beside the model: precision and calibration.
        model_file: OpenVINO's `.xml`; `None` if the f32 form's file is used, or the form was not worth keeping.
        figures: Its measurements.
    """

    precision: Precision
    key: str
    model_file: Path | None
    figures: Figures


class FastModels:
    """Fast forms stored in the folder of converted models, which limits their size and verifies their files.

    Attributes:
        store: That folder.
    """

    def __init__(self, store: ConvertedModels) -> None:
        self.store = store

    def find(self, fingerprint: str, precision: Precision) -> FastModel | None:
        """Return a model's fast form; `None` if absent, damaged, or made by other versions or on another processor.

        Args:
            fingerprint: Of the model.
            precision: One of `FAST`.
        """
        name = _name(fingerprint, precision)
        told = self.store.told(name)
        try:
            if told is None or told["making"] != _MAKING:
                return None
            figures = figures_from(told["figures"])
            key = str(told["key"])
            has_file = MODEL_FILE in told["files"]
        except (ValueError, TypeError, LookupError):
            return None
        if figures.processor != processor() or not key.startswith(precision):
            return None
        return FastModel(precision, key, self.store.folder_of(name) / MODEL_FILE if has_file else None, figures)

    def keep(self, work: Path, fingerprint: str, precision: Precision, calibration: str, figures: Figures) -> None:
        """Store the measurements, and the form in `work` if it is worth it; remove that folder.

        Args:
            work: Folder from `ConvertedModels.work_folder`; holds `model.xml` and `model.bin` if the form has its own.
            fingerprint: Of the model.
            precision: Precision of the form's arithmetic.
            calibration: See `calibration_key`; empty without calibration.
            figures: The measurements.

        Raises:
            OSError: the folder cannot be written.
        """
        if not figures.is_worth_it:
            for path in work.iterdir():
                path.unlink()
        told = {
            "making": _MAKING,
            "key": f"{precision}-{calibration}" if calibration else precision,
            "figures": asdict(figures),
        }
        self.store.place(work, _name(fingerprint, precision), told)

    def drop(self, fingerprint: str, precision: Precision) -> None:
        """Remove a model's fast form."""
        self.store.drop(_name(fingerprint, precision))


def calibration_key(contents: Iterable[bytes], made_by: str) -> str:
    """Return 16 hexadecimal digits over the calibration images, in any order, and the quantiser.

    Args:
        contents: The digests of the files.
        made_by: Name and version of the quantiser.
    """
    told = json.dumps([_MAKING, made_by, sorted(each.hex() for each in contents)])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def figures_from(told: Mapping[str, Any]) -> Figures:
    """Parse the output of `asdict(Figures)`.

    Raises:
        TypeError, ValueError, LookupError: a value is missing or invalid.
    """
    kinds = {"processor": str, "kept": int, "lost": int, "new": int, "images": int, "calibrated": int}
    return Figures(**{each.name: kinds.get(each.name, float)(told[each.name]) for each in fields(Figures)})


def processor() -> str:
    """Return the name of this processor, so that machines that share a home folder keep separate measurements."""
    try:
        lines = _PROCESSORS.read_text("utf-8", "replace").splitlines()
    except OSError:
        import platform

        return platform.processor() or platform.machine()
    parts = (line.partition(":") for line in lines)
    told = {key.strip(): value.strip() for key, _, value in parts}
    flags = sorted(told.get("flags", told.get("Features", "")).split())
    digest = hashlib.blake2b(" ".join(flags).encode(), digest_size=4).hexdigest()
    return f"{told.get('model name', 'processor')} {digest}"


def not_worth_it(precision: Precision, figures: Figures) -> ModelError:
    """Return the error that says why a form is not offered."""
    return ModelError(
        "precision_not_worth",
        "{precision} is not worth it on this machine: it is {speedup} times as fast as f32.",
        precision=precision,
        speedup=f"{figures.speedup:.2f}",
    )


def _name(fingerprint: str, precision: Precision) -> str:
    """Return the form's name in the store; a model's fingerprint contains no dot."""
    return f"{fingerprint}.{precision}"
