"""The program in a real window on a real X server, driven by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import main as cli
from engine.cli.display import missing_library
from tests.e2e.desk import Desk, needs_screen, wait_for

pytestmark = needs_screen


@pytest.fixture
def desk(display: str, sample: Path, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(display, [sample], tmp_path)
    yield desk
    desk.end()


def test_a_sample_is_detected_filtered_exported_and_the_window_closed_by_keyboard(
    desk: Desk, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert missing_library() is None
    desk.focus("parcels.jpg – detrdesk")
    desk.export_to(tmp_path / "one.json")
    exported = json.loads((tmp_path / "one.json").read_text("utf-8"))
    cli.main(["detect", str(sample), "--json", "-"])
    assert exported == json.loads(capsys.readouterr().out)
    assert exported["predictions"][0]["result"]

    desk.focus(" – detrdesk$")
    desk.keys("bracketright", "bracketright")
    again = tmp_path / "parcels_detections.json"
    desk.keys("ctrl+s")  # as last time, under the image's own name
    wait_for(again.exists, str(again))
    assert json.loads(again.read_text("utf-8"))["threshold"] == 0.6

    desk.keys("ctrl+l")
    desk.type(str(sample.with_name("poster.jpg")))
    desk.keys("Return")
    desk.focus("poster.jpg – detrdesk")
    assert desk.quit() == (0, "", "")


def test_closing_at_once_while_the_model_loads_is_silent(desk: Desk) -> None:
    assert desk.quit() == (0, "", "")
