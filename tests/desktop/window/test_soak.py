"""Long work leaves nothing behind (`make soak`)."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.desktop.conftest import Driver

pytestmark = pytest.mark.soak
ROUNDS = 400
MEGABYTE = 1 << 20


def test_memory_threads_and_files_stay_flat_over_many_images(
    open_window: Callable[..., Driver], tmp_path: Path
) -> None:
    """Memory returns to within 100 MB; every tenth image is broken."""
    for at in range(20):
        path = tmp_path / f"{at:02}.jpg"
        if at % 10 == 9:
            path.write_bytes(b"\xff\xd8\xff broken")
        else:
            Image.effect_noise((1500 + 20 * at, 1000), 40).convert("RGB").save(path)
    driver = open_window(tmp_path)
    driver.wait_detected("00.jpg")
    process = psutil.Process()

    def go_round(rounds: int) -> tuple[int, int, int]:
        for turn in range(rounds):
            driver.window.viewer.browsing.show_row(turn % 20)
            driver.wait_until(lambda: driver.state.stage is None)
        gc.collect()
        return process.memory_info().rss, threading.active_count(), process.num_fds()

    memory, threads, files = go_round(60)
    after_memory, after_threads, after_files = go_round(ROUNDS)
    assert after_memory - memory < 100 * MEGABYTE
    assert after_threads <= threads
    assert after_files <= files
