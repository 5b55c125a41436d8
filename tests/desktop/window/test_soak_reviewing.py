"""Memory stays constant over thousands of images (`make soak`)."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.benchmarks.images import fill_folder
from tests.desktop.conftest import Driver

pytestmark = pytest.mark.soak
EARLY, LATE = 500, 5_000
MEGABYTE = 1 << 20


def test_memory_stays_flat_over_five_thousand_images(open_window: Callable[..., Driver], tmp_path: Path) -> None:
    """What is kept of each image (marks, scores, a thousand thumbnails) comes to some tens of megabytes."""
    driver = open_window(fill_folder(tmp_path / "many", LATE))
    driver.wait_until(lambda: len(driver.state.sources) == LATE and driver.state.detections is not None)
    process, held = psutil.Process(), {}
    for at in range(LATE):
        driver.window.viewer.browsing.show_row(at)
        driver.wait_until(lambda at=at: driver.state.stage is None and driver.state.image is not None)
        image = driver.state.image
        assert image is not None
        assert image.source is driver.state.sources[at]
        if at + 1 in (EARLY, LATE):
            gc.collect()
            held[at + 1] = process.memory_info().rss
    assert held[LATE] - held[EARLY] < 60 * MEGABYTE
