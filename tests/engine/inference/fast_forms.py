"""Fast forms that were made up, for tests of what is done with them."""

from __future__ import annotations

import time

from engine.detect.precision import Precision
from engine.engine import Engine
from engine.models.fast import Figures, processor
from engine.models.fingerprint import fingerprint

FIGURES = Figures(
    f32_ms=100.0,
    fast_ms=50.0,
    speedup=2.0,
    slowest=1.8,
    fastest=2.2,
    average_precision=0.95,
    kept=40,
    lost=2,
    new=1,
    threshold=0.5,
    images=10,
    calibrated=0,
    processor=processor(),
    at=time.time(),
)


def keep_form(engine: Engine, name: str, precision: Precision = "bf16", figures: Figures = FIGURES) -> None:
    """As if it had been measured; it has no file of its own."""
    with engine.fast.store.work_folder() as work:
        engine.fast.keep(work, fingerprint(engine.catalog.path(name)), precision, "", figures)
