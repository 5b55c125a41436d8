"""The window is seen before anything heavy is imported, though the model is loaded as soon as it is open."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from engine.paths import resource


@pytest.mark.parametrize("images", [[], [str(resource("samples", "parcels.jpg"))]], ids=["empty", "sample"])
def test_nothing_heavy_is_imported_before_the_first_paint(images: list[str]) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.launched", "window", *images]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["imported"] == []
