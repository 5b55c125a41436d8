"""Precisions that models compute in."""

from __future__ import annotations

from typing import Literal

Precision = Literal["f32", "f16", "bf16", "int8"]
F32: Precision = "f32"
HALF: Precision = "f16"
"""Used on a GPU by itself, where the detections stay within limits."""
FAST: tuple[Precision, ...] = ("bf16", "int8")
"""Precisions that the user may choose for a model."""
PRECISIONS: tuple[Precision, ...] = (F32, *FAST)


def runtime_name(library: str, precision: Precision) -> str:
    """Return the name of a runtime, e.g. `openvino` or `openvino int8`."""
    return library if precision == F32 else f"{library} {precision}"


def precision_of(runtime: str) -> Precision:
    """Return the precision in a runtime's name."""
    return next((each for each in (HALF, *FAST) if runtime.endswith(f" {each}")), F32)


def precision_in(variant: str) -> Precision:
    """Return the precision of a runtime's variant, e.g. of `int8-0123456789abcdef`."""
    return next((each for each in (HALF, *FAST) if variant.split("-", maxsplit=1)[0] == each), F32)
