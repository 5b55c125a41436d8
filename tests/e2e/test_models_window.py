"""The models in a real window, by keyboard: added, renamed, swapped, broken, removed."""

from __future__ import annotations

import json
import os
import shutil
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageGrab

from tests.checkpoints import make_checkpoint
from tests.e2e.desk import Desk, needs_screen, wait_for

pytestmark = needs_screen


class Models:
    """The program on a sample, and a look into its catalog."""

    def __init__(self, display: str, sample: Path, folder: Path, home: Path) -> None:
        self._display, self._folder, self._home = display, folder, home
        self.desk = Desk(display, [sample], folder)
        self.desk.focus("– detrdesk$")

    @property
    def names(self) -> list[str]:
        file = self._home / "config" / "models.toml"
        catalog: dict[str, Any] = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
        return list(catalog)

    def open(self) -> None:
        """The list has the keyboard then."""
        self.desk.focus("– detrdesk$")
        self.desk.keys("ctrl+m")
        self.desk.focus("^Models$")

    def close(self) -> None:
        self.desk.focus("^Models$")
        self.desk.keys("Escape")
        wait_for(lambda: not self.desk.window("^Models$"), "the dialog to close")

    def add(self, folder: Path) -> None:
        """From the list, with the starter selected: the button, the path, Return."""
        self.desk.keys("Tab", "space")
        self.desk.focus("^Choose a model folder$")
        self.desk.keys("ctrl+a")
        self.desk.type(str(folder))
        self.desk.keys("Return")
        wait_for(lambda: folder.name in self.names, f"{folder.name} in the catalog")
        wait_for(lambda: not self.desk.window("^Choose a model folder$"), "the file dialog to close")
        self.desk.focus("^Models$")

    def rename_last(self, new: str) -> None:
        """Type another name over the last one in the list; again until the list has it."""

        def attempt() -> bool:
            self.open()
            self.desk.keys("ctrl+End", "F2", "ctrl+a")
            self.desk.type(new)
            self.desk.keys("Return")
            end = time.monotonic() + 3
            while new not in self.names and time.monotonic() < end:
                time.sleep(0.1)
            return new in self.names

        wait_for(attempt, f"a model called {new}")

    def answering(self, name: str) -> dict[str, Any]:
        """Which model the window's detections are of."""
        path = self._folder / f"{name}.json"
        self.desk.export_to(path)
        exported: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return exported

    def picture(self, name: str) -> None:
        """Keep what the screen shows, where somebody wants to look at it."""
        if folder := os.environ.get("DETRDESK_PICTURES"):
            ImageGrab.grab(xdisplay=self._display).save(Path(folder, f"{name}.png"))


@pytest.fixture
def models(display: str, sample: Path, tmp_path: Path, own_home: Path) -> Iterator[Models]:
    models = Models(display, sample, tmp_path, own_home)
    yield models
    models.desk.end()


def test_a_model_is_added_renamed_used_and_removed_while_a_broken_one_costs_nothing(
    models: Models, tmp_path: Path
) -> None:
    good = make_checkpoint(tmp_path / "customer-a", "detr")
    broken = Path(shutil.copytree(good, tmp_path / "broken"))
    desk = models.desk
    assert models.answering("first")["model"] == "starter"

    models.open()
    models.add(good)
    models.picture("added")
    models.rename_last("renamed")
    assert models.names == ["renamed"]
    desk.keys("Return")
    models.picture("renamed")
    models.close()
    wait_for(lambda: models.answering(f"second-{len(list(tmp_path.iterdir()))}")["model"] == "renamed", "its answer")

    models.open()
    desk.keys("ctrl+Home")
    models.add(broken)
    (broken / "model.safetensors").write_bytes(b"\x08")
    models.rename_last("cut off")
    desk.keys("Return")
    models.picture("broken")
    models.close()
    models.picture("broken-message")
    assert models.answering("third")["model"] == "renamed"

    models.open()
    desk.keys("ctrl+Home", "Down", "Delete")
    desk.focus("^Remove a model$")
    models.picture("removal")
    desk.keys("Return")
    wait_for(lambda: models.names == ["cut off"], "the removal")
    models.picture("removed")
    models.close()
    wait_for(lambda: models.answering(f"fourth-{len(list(tmp_path.iterdir()))}")["model"] == "starter", "the starter")
    assert (good / "model.safetensors").exists()
    assert desk.quit() == (0, "", "")
