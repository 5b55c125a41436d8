"""Measure a model's reduced-precision forms and choose one."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from engine.detect.precision import F32, FAST, Precision
from engine.engine import Engine
from engine.errors import ModelError
from engine.inference.runtime_selector import may_reduce_precision, needs_openvino, processor_lacks
from engine.models.fast import Figures, not_worth_it
from engine.models.fingerprint import fingerprint
from engine.runtimes.openvino_library import native_precisions


@dataclass(frozen=True, slots=True)
class Offer:
    """A faster precision of a model.

    Attributes:
        precision: What it would compute in.
        is_chosen: Whether the catalog asks for it.
        problem: Why it cannot be chosen; `None` where it can, or has only to be measured first.
        figures: What was measured on this machine; `None` where that was not done.
    """

    precision: Precision
    is_chosen: bool
    problem: ModelError | None = None
    figures: Figures | None = None

    @property
    def can_be_chosen(self) -> bool:
        """Whether it was measured, and is really faster here."""
        return self.problem is None and self.figures is not None


def offers(engine: Engine, name: str) -> tuple[Offer, ...]:
    """The faster precisions of a model; takes up to a second the first time, for a thread beside the window's.

    Raises:
        ModelError: the model cannot be found or read.
    """
    return tuple(offer_of(engine, name, precision) for precision in FAST)


def choose(engine: Engine, name: str, precision: Precision) -> None:
    """Let a model compute in this precision from its next answer on; `f32` always can.

    Raises:
        ModelError: it was not measured, is not worth it, or cannot be here; or there is no such model.
        CatalogError, WriteError: `models.toml` cannot be changed.
    """
    if precision != F32:
        offer = offer_of(engine, name, precision)
        if offer.problem is not None:
            raise offer.problem
        if offer.figures is None:
            raise ModelError("precision_unmeasured", "Measure {precision} on some images first.", precision=precision)
    engine.catalog.set_precision(name, precision)


def offer_of(engine: Engine, name: str, precision: Precision) -> Offer:
    """One of the faster precisions of a model; see `offers`."""
    is_chosen = engine.catalog.entry(name).precision == precision
    made = engine.fast.find(fingerprint(engine.catalog.path(name)), precision)
    figures = made.figures if made else None
    problem = obstacle(engine, name, precision, is_to_be_made=made is None)
    if problem is None and made is not None and not made.figures.is_worth_it:
        problem = not_worth_it(precision, made.figures)
    return Offer(precision, is_chosen, problem, figures)


def obstacle(engine: Engine, name: str, precision: Precision, is_to_be_made: bool) -> ModelError | None:
    """Why a model cannot have a precision on this machine."""
    if not may_reduce_precision(engine.recipe(name), engine.settings):
        return needs_openvino(precision)
    try:
        native = native_precisions()
    except ImportError:
        return needs_openvino(precision)
    if precision not in native:
        return processor_lacks(precision)
    if precision == "int8" and is_to_be_made and find_spec("nncf") is None:
        return ModelError("precision_nncf", "int8 needs NNCF, which is not installed: pip install 'detrdesk[int8]'.")
    return None
