"""The window is painted before heavy libraries are imported; the model is loaded right after."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from engine.paths import resource

LATER = (
    "desktop.export.dialog",
    "desktop.keys.list",
    "desktop.models.dialog",
    "desktop.models.names",
    "desktop.settings.dialog",
    "engine.export.formats",
    "engine.batch.measuring",
    "engine.models.hub.download",
    "engine.models.hub.search",
    "engine.render.render",
    "PIL.ImageCms",
    "fastapi",
    "html.parser",
    "huggingface_hub",
    "keyring",
    "requests",
    "segno",
    "tomlkit",
    "urllib.request",
)


@pytest.mark.parametrize("images", [[], [str(resource("samples", "parcels.jpg"))]], ids=["empty", "sample"])
def test_nothing_heavy_is_imported_before_the_first_paint(images: list[str]) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.launched", "window", *images]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["imported"] == []


def test_what_only_a_dialog_or_an_address_needs_is_not_imported_at_the_start() -> None:
    command = [sys.executable, "-c", "import json, sys, desktop.app; print(json.dumps([*sys.modules]))"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not {*LATER} & {*json.loads(done.stdout)}
