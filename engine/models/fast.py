"""Fast forms of models: what was measured of each on this machine, kept with the converted models."""

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
"""Below this a form that answers differently is not worth it."""
_MAKING = 1
"""How fast forms are made and measured; another number asks for them anew."""
_PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of a fast form, in turns with f32, on the user's images.

    Attributes:
        f32_ms, fast_ms: Median milliseconds that the model takes for an image.
        speedup: Median of the ratios, image by image.
        slowest, fastest: The least and the greatest of these ratios.
        average_precision: COCO's AP@[.5:.95] of its detections, 0..1; the truth are those of f32 above the threshold.
        kept, lost, new: Detections above the threshold that both have, that only f32 has, that only the fast form has.
        threshold: That threshold.
        images: How many it was compared on.
        calibrated: How many others it was calibrated with.
        processor: What it was measured on.
        at: When, seconds since the epoch.
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
        """Whether it is really faster here."""
        return self.speedup >= LEAST_SPEEDUP


@dataclass(frozen=True, slots=True)
class FastModel:
    """A model's fast form.

    Attributes:
        precision: What it computes in.
        key: Names what its answers depend on beside the model: the precision and what it was calibrated with.
        model_file: OpenVINO's `.xml`; `None` where it is the file of the f32 form, or not worth keeping.
        figures: What was measured.
    """

    precision: Precision
    key: str
    model_file: Path | None
    figures: Figures


class FastModels:
    """The fast forms in a folder of converted models, which bounds them and checks their files.

    Attributes:
        store: That folder.
    """

    def __init__(self, store: ConvertedModels) -> None:
        self.store = store

    def find(self, fingerprint: str, precision: Precision) -> FastModel | None:
        """A model's fast form; `None` where it was not made by these versions on this processor, or is damaged.

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
        """Keep what was measured, and the model that lies in `work` if it is worth it; the folder goes.

        Args:
            work: Of `ConvertedModels.work_folder`; holds `model.xml` and `model.bin` where the form has its own.
            fingerprint: Of the model.
            precision: What the form computes in.
            calibration: See `calibration_key`; empty where there was none.
            figures: What was measured.

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
    """16 hexadecimal digits over the images that a form was calibrated with, in whatever order, and what made it.

    Args:
        contents: The digests of the files.
        made_by: Name and version of what quantises.
    """
    told = json.dumps([_MAKING, made_by, sorted(each.hex() for each in contents)])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def figures_from(told: Mapping[str, Any]) -> Figures:
    """Figures as `asdict` told them.

    Raises:
        TypeError, ValueError, LookupError: they make no sense.
    """
    kinds = {"processor": str, "kept": int, "lost": int, "new": int, "images": int, "calibrated": int}
    return Figures(**{each.name: kinds.get(each.name, float)(told[each.name]) for each in fields(Figures)})


def processor() -> str:
    """What this machine computes with; where two machines share a home, the figures of one are not the other's."""
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
    """Why a form that was made is not offered."""
    return ModelError(
        "precision_not_worth",
        "{precision} is not worth it on this machine: it is {speedup} times as fast as f32.",
        precision=precision,
        speedup=f"{figures.speedup:.2f}",
    )


def _name(fingerprint: str, precision: Precision) -> str:
    """What the store knows a form by; no fingerprint of a model has a dot."""
    return f"{fingerprint}.{precision}"
