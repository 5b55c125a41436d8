"""Exporting in a window: the dialog by keyboard, its messages before and after."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QRadioButton

from desktop.export.dialog import ExportDialog
from tests.desktop.conftest import Driver

OpenWindow = Callable[..., Driver]
KEY = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images, and a file that is none."""
    folder = tmp_path / "八月 客户"
    folder.mkdir()
    for at in range(1, 3):
        Image.effect_noise((160 + 8 * at, 120), 60 + 10 * at).convert("RGB").save(folder / f"图 {at}.png")
    (folder / "图 3.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def export(open_window: OpenWindow, folder: Path) -> Driver:
    """A window whose export dialog was asked for."""
    driver = open_window(folder)
    driver.wait_detected("图 1.png")
    driver.window.viewer.choosing.set_threshold(0.0)
    ask(driver)
    return driver


def ask(driver: Driver) -> None:
    driver.qtbot.keyClick(driver.window.view, KEY.Key_S, CTRL | SHIFT)
    with driver.qtbot.waitActive(dialog(driver)):
        dialog(driver).activateWindow()


def dialog(driver: Driver) -> ExportDialog:
    found = driver.window.findChild(ExportDialog)
    assert found is not None
    return found


def target(driver: Driver) -> QLineEdit:
    found = dialog(driver).findChild(QLineEdit, "exportTarget")
    assert found is not None
    return found


def type_target(driver: Driver, text: str) -> None:
    """Type a path; QTest cannot type Chinese."""
    target(driver).setText(text)
    target(driver).textEdited.emit(text)


def told(driver: Driver) -> str:
    found = dialog(driver).findChild(QLabel, "exportSummary")
    assert found is not None
    return found.text()


def choose(driver: Driver, key: str) -> None:
    dialog(driver).choose_format(key)


def click(driver: Driver, name: str) -> None:
    found = dialog(driver).findChild(QRadioButton, name)
    assert found is not None
    found.click()


def press(driver: Driver, *keys: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    for key in keys:
        driver.qtbot.keyClick(QApplication.focusWidget(), key, modifier)


def test_it_is_chosen_by_keyboard_alone(export: Driver) -> None:
    assert target(export).hasFocus()
    assert target(export).selectedText() == target(export).text()
    press(export, KEY.Key_Backtab, modifier=SHIFT)
    press(export, KEY.Key_Backtab, modifier=SHIFT)
    press(export, KEY.Key_Down)
    press(export, KEY.Key_Backtab, modifier=SHIFT)
    assert isinstance(QApplication.focusWidget(), QComboBox)
    press(export, KEY.Key_Y)
    request = dialog(export).request()
    assert (request.scope.name, request.format.key) == ("SESSION", "yolo")


def test_files_of_different_formats_are_called_differently(export: Driver, folder: Path) -> None:
    click(export, "exportScopeSession")
    names = set()
    for key in ("coco", "coco-results", "csv", "yolo", "yolo-scores"):
        choose(export, key)
        names.add(target(export).text())
    assert names == {
        str(folder / f"八月 客户_{name}")
        for name in ("coco.json", "coco-results.json", "detections.csv", "yolo", "yolo-scores")
    }


def test_it_says_beforehand_that_a_file_will_be_replaced(export: Driver, folder: Path) -> None:
    type_target(export, str(folder / "图 1.pn"))
    assert told(export) == ""
    type_target(export, str(folder / "图 1.png"))
    assert "will be replaced" in told(export)
    type_target(export, str(folder / "图 1.pngx"))
    assert told(export) == ""


@pytest.mark.parametrize("typed", ["~nobody-of-that-name/x.json", "x" * 5000, "only a name.json"])
def test_whatever_is_typed_is_a_path(export: Driver, folder: Path, typed: str) -> None:
    type_target(export, typed)
    assert dialog(export).request().target == folder / typed


def test_images_that_are_left_out_are_told_of(export: Driver, folder: Path) -> None:
    choose(export, "coco")
    click(export, "exportScopeSession")
    press_export(export)
    export.wait_until(lambda: "exported" in told(export))
    assert told(export).startswith("1 image with 12 detections")
    assert "2 images could not be exported, the first is 图 2.png: Nothing was detected in it yet." in told(export)
    assert len(json.loads((folder / "八月 客户_coco.json").read_text("utf-8"))["images"]) == 1


def test_before_anything_is_detected_there_is_nothing_to_export(open_window: OpenWindow, folder: Path) -> None:
    driver = open_window()
    driver.window.preferences.change(detect_on_opening=False)
    driver.window.viewer.browsing.open([str(folder)])
    driver.wait_until(lambda: driver.state.image is not None and driver.state.stage is None)
    ask(driver)
    press_export(driver)
    driver.wait_until(lambda: "nothing to export" in told(driver))
    assert not list(folder.glob("*detections*"))


def press_export(driver: Driver) -> None:
    found = dialog(driver).findChild(QPushButton, "exportNow")
    assert found is not None
    found.click()
