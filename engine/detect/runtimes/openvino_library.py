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
