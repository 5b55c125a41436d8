"""The OpenVINO library, kept from calling home."""

from __future__ import annotations

import sys
from typing import Any


def openvino() -> Any:
    """The module `openvino`; always import it by this.

    On import it sends events by `openvino_telemetry`, and works without that package.

    Raises:
        ImportError: it is not installed, or not for this machine.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: importing it raises
    import openvino

    return openvino


def native_precisions() -> frozenset[str]:
    """What this machine's processor computes in by itself, of `f32`, `bf16` and `int8`.

    Raises:
        ImportError: as `openvino`.
    """
    told = openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    names = {"FP32": "f32", "BF16": "bf16", "INT8": "int8"}
    return frozenset(names[each] for each in told if each in names)
