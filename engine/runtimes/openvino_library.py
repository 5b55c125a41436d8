"""Import of OpenVINO, without its telemetry and with a decimal point."""

from __future__ import annotations

import locale
import sys
from typing import Any


def openvino() -> Any:
    """Return the module `openvino`; always import it by this function.

    On import it would send events by `openvino_telemetry`, and it works without that package. It reads and writes the
    numbers of model files by the process's locale, which Qt sets to the user's: with a decimal comma every constant is
    cut to an integer and the detections are wrong without any error. So LC_NUMERIC is reset where it has no point.

    Raises:
        ImportError: it is not installed, or not for this machine.
    """
    if locale.localeconv()["decimal_point"] != ".":
        locale.setlocale(locale.LC_NUMERIC, "C")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: importing it raises
    import openvino

    return openvino


def native_precisions() -> frozenset[str]:
    """Return which of `f32`, `bf16` and `int8` this machine's processor supports natively.

    Raises:
        ImportError: as `openvino`.
    """
    told = openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    names = {"FP32": "f32", "BF16": "bf16", "INT8": "int8"}
    return frozenset(names[each] for each in told if each in names)
