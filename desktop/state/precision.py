"""The precisions of a model and their measurement, as the window shows them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.detect.precision import Precision


@dataclass(frozen=True)
class PrecisionFigures:
    """What was measured of a precision against f32.

    Attributes:
        images: How many images it was measured on.
        threshold: The score threshold of the counts below.
        kept, lost, new: Detections in both, in f32 only, in this precision only.
        average_precision: AP against the detections of f32, 0..1.
        speedup: How many times as fast it is.
    """

    images: int
    threshold: float
    kept: int
    lost: int
    new: int
    average_precision: float
    speedup: float


@dataclass(frozen=True)
class PrecisionOffer:
    """A faster precision of a model.

    Attributes:
        precision: Its name.
        is_chosen: Whether the catalog asks for it.
        can_be_chosen: Whether it was measured and is worth it.
        can_be_measured: Whether this machine can compute in it.
        problem: Why it cannot be chosen, in the window's language; empty where it can, or is only not measured yet.
        figures: What was measured; `None` before.
    """

    precision: Precision
    is_chosen: bool = False
    can_be_chosen: bool = False
    can_be_measured: bool = True
    problem: str = ""
    figures: PrecisionFigures | None = None


@dataclass(frozen=True)
class Measurement:
    """The progress of a measurement.

    Attributes:
        model: The model's name.
        precision: The precision that is measured.
        stage: The engine's word for the present stage.
        done, total: Steps of the stage; 0 of 0 where they are not known.
        is_cancelled: Whether it is about to end.
    """

    model: str
    precision: Precision
    stage: str = "loading"
    done: int = 0
    total: int = 0
    is_cancelled: bool = False


@dataclass(frozen=True)
class PrecisionView:
    """What is known of the precisions of a model.

    Attributes:
        model: Its name.
        offers: Its faster precisions; empty where the model cannot be used.
        measurable: The precisions that can be measured on the open images.
        least_images: How many images the first precision that this machine can measure needs.
        measurement: The running measurement, of this model or another one.
    """

    model: str = ""
    offers: tuple[PrecisionOffer, ...] = ()
    measurable: tuple[Precision, ...] = ()
    least_images: int = 0
    measurement: Measurement | None = None
