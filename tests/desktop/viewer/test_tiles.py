"""Tiles in the window: chosen, waited for, cancelled, kept with the session, used in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image
from PyQt5.QtWidgets import QComboBox

from desktop.state.viewer import UNKNOWN_COUNT, Stage
from engine.detect.detection import Detections
from engine.detect.recipe import Prepared
from engine.detect.tiling import Tiling
from engine.runtimes.detector import Detector
from tests.desktop.conftest import Driver

SIDE = Tiling(320)
OF_A, OF_B = 24, 12
"""Tiles of the two large images."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two large images and a small one."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, size in (("a", (1600, 900)), ("b", (1200, 800)), ("c", (200, 150))):
        Image.linear_gradient("L").resize(size).convert("RGB").save(folder / f"{name}.png")
    return folder


@pytest.fixture
def looked_at() -> Iterator[list[tuple[int, int]]]:
    """Sizes of the images and tiles that the model was asked about."""
    seen: list[tuple[int, int]] = []
    detect = Detector.detect

    def noted(self: Detector, prepared: Prepared) -> Detections:
        seen.append((prepared.width, prepared.height))
        return detect(self, prepared)

    with patch.object(Detector, "detect", noted):
        yield seen


def choose(driver: Driver, tiling: Tiling | None) -> None:
    """Choose in the list, as the keyboard does."""
    picker = driver.find("tilingPicker")
    assert isinstance(picker, QComboBox)
    wanted = "off" if tiling is None else f"{tiling.side} px"
    at = next(at for at in range(picker.count()) if picker.itemText(at).startswith(wanted))
    picker.setCurrentIndex(at)
    picker.activated.emit(at)


def wait_looked(driver: Driver, name: str, tiling: Tiling | None) -> Detections:
    driver.wait_detected(name)
    driver.wait_until(lambda: driver.state.stage is None and driver.state.setup.made(_found(driver)))
    found = _found(driver)
    assert found.tiling == tiling
    return found


def _found(driver: Driver) -> Detections:
    assert driver.state.detections is not None
    return driver.state.detections


def test_the_image_is_looked_at_in_tiles_once_they_are_chosen(
    open_window: Callable[..., Driver], folder: Path, looked_at: list[tuple[int, int]]
) -> None:
    driver = open_window(folder / "a.png")
    plain = wait_looked(driver, "a.png", None)
    assert looked_at == [(1600, 900)]
    choose(driver, SIDE)
    tiled = wait_looked(driver, "a.png", SIDE)
    assert looked_at[1:] == [(320, 320)] * OF_A
    assert len(tiled) > len(plain)
    choose(driver, None)
    assert wait_looked(driver, "a.png", None).boxes.tolist() == plain.boxes.tolist()
    choose(driver, SIDE)
    assert wait_looked(driver, "a.png", SIDE).boxes.tolist() == tiled.boxes.tolist()
    assert len(looked_at) == 1 + OF_A
    driver.find("detectButton").click()  # type: ignore[attr-defined]
    driver.wait_until(lambda: len(looked_at) == 2 * (1 + OF_A) and driver.state.stage is None)


def test_how_far_it_is_is_seen_and_it_can_be_given_up(open_window: Callable[..., Driver], folder: Path) -> None:
    driver = open_window(folder / "a.png")
    plain = wait_looked(driver, "a.png", None)
    told: list[tuple[int, int]] = []
    driver.window.viewer.changed.connect(lambda state: told.append(state.tile) if state.tile else None)
    driver.window.viewer.model_choice.set_tiling(Tiling(64))
    driver.wait_until(lambda: len(told) >= 3)
    assert driver.state.stage == Stage.DETECTING
    driver.find("cancelButton").click()  # type: ignore[attr-defined]
    assert (driver.state.stage, driver.state.tile) == (None, None)
    assert driver.state.detections is plain
    assert told[:3] == [(1, told[0][1]), (2, told[0][1]), (3, told[0][1])]
    driver.qtbot.wait(100)
    assert driver.state.detections is plain


def test_tiles_are_kept_with_the_session(
    open_window: Callable[..., Driver], folder: Path, looked_at: list[tuple[int, int]]
) -> None:
    driver = open_window(folder)
    wait_looked(driver, "a.png", None)
    choose(driver, SIDE)
    tiled = wait_looked(driver, "a.png", SIDE)
    driver.window.close()
    looked_at.clear()
    later = open_window(folder)
    again = wait_looked(later, "a.png", SIDE)
    assert again.boxes.tolist() == tiled.boxes.tolist()
    assert (320, 320) not in looked_at[:1]
    assert later.state.tiling == SIDE


def test_detecting_in_all_images_uses_the_tiles_and_counts_what_they_show(
    open_window: Callable[..., Driver], folder: Path
) -> None:
    driver = open_window(folder)
    wait_looked(driver, "a.png", None)
    driver.window.viewer.detect_all()
    driver.wait_until(lambda: not (driver.state.marks.counts == UNKNOWN_COUNT).any())
    plain = driver.state.marks.counts.tolist()
    choose(driver, SIDE)
    wait_looked(driver, "a.png", SIDE)
    driver.window.viewer.choosing.set_threshold(0.0)
    driver.wait_until(lambda: driver.state.marks.counts[0] > 100)
    batch = driver.window.viewer.batch
    driver.window.viewer.detect_all()
    driver.wait_until(lambda: batch.state is not None and not batch.state.is_running)
    driver.wait_until(lambda: not (driver.state.marks.counts == UNKNOWN_COUNT).any())
    tiled = driver.state.marks.counts.tolist()
    assert tiled[0] == len(wait_looked(driver, "a.png", SIDE))
    assert tiled[1] > 50 > tiled[2]
    choose(driver, None)
    driver.window.viewer.choosing.set_threshold(0.5)
    driver.wait_until(lambda: driver.state.marks.counts.tolist() == plain)
