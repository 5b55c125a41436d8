"""How exactly a model computes: f32, or faster and slightly different."""

from __future__ import annotations

from typing import Literal

Precision = Literal["f32", "f16", "bf16", "int8"]
F32: Precision = "f32"
HALF: Precision = "f16"
"""What a graphics card computes in by itself, where it answers the same within limits."""
FAST: tuple[Precision, ...] = ("bf16", "int8")
"""What a model may be given."""
PRECISIONS: tuple[Precision, ...] = (F32, *FAST)


def runtime_name(library: str, precision: Precision) -> str:
    """What a runtime is called: `openvino`, or `openvino int8`."""
    return library if precision == F32 else f"{library} {precision}"


def precision_of(runtime: str) -> Precision:
    """The precision that a runtime's name tells."""
    return next((each for each in (HALF, *FAST) if runtime.endswith(f" {each}")), F32)


def precision_in(answers: str) -> Precision:
    """The precision in what names a runtime's answers, e.g. in `int8-0123456789abcdef`."""
    return next((each for each in (HALF, *FAST) if answers.split("-", maxsplit=1)[0] == each), F32)
