"""The two pages in a real browser: headless Chromium, where there is one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.api.conftest import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/", [">小 模型</option>", 'type="range"', "photograph an image"]),
        ("/docs", ["<code>/v1/vision/detections</code>", "X-Detr-Threshold", "curl -X POST", "The queue is full"]),
    ],
)
def test_the_page_comes_alive(service: Service, tmp_path: Path, path: str, texts: list[str]) -> None:
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    command += ["--virtual-time-budget=5000", "--window-size=390,900", "--dump-dom", service.url + path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    for text in texts:
        assert text in done.stdout
