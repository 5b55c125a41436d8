"""The program in a real window on a real X server, driven by keyboard."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import cli
from engine.display import missing_library

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.skipif(
        shutil.which("Xvfb") is None or shutil.which("xdotool") is None, reason="needs Xvfb and xdotool"
    ),
]
PATIENCE_S = 60.0


def wait_for(found: Callable[[], object], what: str) -> object:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


class Desk:
    """The running program and a keyboard for it."""

    def __init__(self, display: str, process: subprocess.Popen[str]) -> None:
        self.environment = {**os.environ, "DISPLAY": display}
        self.process = process

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, timeout=20)
        return done.stdout.strip()

    def window(self, title: str) -> str:
        return self.xdotool("search", "--onlyvisible", "--name", title).split("\n")[0]

    def focus(self, title: str) -> None:
        self.xdotool("windowfocus", "--sync", str(wait_for(lambda: self.window(title), f"a window called {title}")))

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.xdotool("key", "--delay", "30", key)

    def export_json(self, path: Path) -> dict[str, object]:
        """Export by Ctrl+S, again until the detection is there."""

        def attempt() -> bool:
            self.focus(" – detrdesk$")
            self.keys("ctrl+s")
            self.focus("^Export$")
            self.keys("ctrl+a")
            self.xdotool("type", "--delay", "15", str(path))
            self.keys("Return")
            time.sleep(1.0)
            return path.exists()

        wait_for(attempt, str(path))
        value = json.loads(path.read_text("utf-8"))
        assert isinstance(value, dict)
        return value


@pytest.fixture
def display() -> Iterator[str]:
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture
def desk(display: str, sample: Path, tmp_path: Path) -> Iterator[Desk]:
    environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": os.getcwd(), "LANGUAGE": "en"}
    environment.pop("QT_QPA_PLATFORM")
    command = [sys.executable, "-m", "desktop", str(sample)]
    process = subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield Desk(display, process)
    process.kill()
    process.communicate()


def test_a_sample_is_detected_filtered_exported_and_the_window_closed_by_keyboard(
    desk: Desk, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert missing_library() is None
    desk.focus("parcels.jpg – detrdesk")
    exported = desk.export_json(tmp_path / "one.json")
    cli.main(["detect", str(sample), "--json", "-"])
    assert exported == json.loads(capsys.readouterr().out)
    assert exported["predictions"][0]["result"]  # type: ignore[index]

    desk.focus(" – detrdesk$")
    desk.keys("bracketright", "bracketright")
    assert desk.export_json(tmp_path / "two.json")["threshold"] == 0.6

    desk.focus(" – detrdesk$")
    desk.keys("ctrl+l")
    desk.xdotool("type", "--delay", "15", str(sample.with_name("poster.jpg")))
    desk.keys("Return")
    wait_for(lambda: desk.window("poster.jpg – detrdesk"), "the poster")

    desk.focus(" – detrdesk$")
    desk.keys("ctrl+q")
    out, err = desk.process.communicate(timeout=20)
    assert (desk.process.returncode, out, err) == (0, "", "")


def test_closing_at_once_while_the_model_loads_is_silent(desk: Desk) -> None:
    desk.focus("detrdesk$")
    desk.keys("ctrl+q")
    out, err = desk.process.communicate(timeout=30)
    assert (desk.process.returncode, out, err) == (0, "", "")
