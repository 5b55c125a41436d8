"""The window, driven as a user does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image
from PyQt5.QtCore import QItemSelectionModel, Qt
from PyQt5.QtGui import QGuiApplication, QImage
from PyQt5.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QTableView,
    QTabWidget,
)

from engine.cli import main as cli
from engine.engine import Engine
from engine.paths import config_dir
from tests.desktop.conftest import Driver

OpenWindow = Callable[..., Driver]
FIXED_NAMES = [
    "modelPicker",
    "thresholdSlider",
    "thresholdSpin",
    "topKSpin",
    "sourceEdit",
    "openButton",
    "detectButton",
    "cancelButton",
    "imageView",
    "detectionTable",
    "jsonView",
    "tokenLabel",
    "messageBar",
]


def select_row(driver: Driver, row: int) -> None:
    table = driver.find("detectionTable")
    assert isinstance(table, QTableView)
    selection, model = table.selectionModel(), table.model()
    assert selection is not None
    assert model is not None
    flags = QItemSelectionModel.SelectionFlag
    selection.select(model.index(row, 0), flags.ClearAndSelect | flags.Rows)


def rows(driver: Driver) -> int:
    table = driver.find("detectionTable")
    assert isinstance(table, QTableView)
    model = table.model()
    assert model is not None
    return model.rowCount()


@pytest.mark.parametrize("name", FIXED_NAMES)
def test_scripts_and_screen_readers_find_every_part(open_window: OpenWindow, name: str) -> None:
    assert open_window().find(name).accessibleName()


def test_an_empty_window_says_how_to_begin(open_window: OpenWindow) -> None:
    driver = open_window()
    assert driver.window.windowTitle() == "detrdesk"
    assert driver.find("welcome").isVisible()
    assert not driver.find("messageBar").isVisible()
    assert not driver.find("detectButton").isEnabled()


def test_the_samples_open_from_the_empty_window(open_window: OpenWindow) -> None:
    driver = open_window()
    button = next(b for b in driver.find("welcome").findChildren(QPushButton) if "samples" in b.text())
    driver.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    driver.wait_detected("empty.jpg")
    assert len(driver.state.sources) == 4


def test_an_image_named_on_the_command_line_is_shown_with_its_detections(driver: Driver) -> None:
    assert "快递 1.jpg" in driver.window.windowTitle()
    assert "detrdesk" in driver.window.windowTitle()
    assert driver.find("imageView").isVisible()
    shown = driver.state.shown
    assert shown is not None
    assert len(shown) == rows(driver) > 0
    assert driver.find("tokenLabel").text().startswith("98 tokens")  # type: ignore[attr-defined]
    assert driver.window.view.label_rects().keys() == set(shown.indices.tolist())


def json_view(driver: Driver) -> QPlainTextEdit:
    view = driver.find("jsonView")
    assert isinstance(view, QPlainTextEdit)
    return view


def test_the_json_is_the_command_lines_answer(
    driver: Driver, image_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = json_view(driver)
    cli.main(["detect", str(image_file), "--json", "-"])
    assert json.loads(view.toPlainText()) == json.loads(capsys.readouterr().out)


def test_slider_number_and_table_follow_each_other_live(driver: Driver) -> None:
    slider, spin = driver.find("thresholdSlider"), driver.find("thresholdSpin")
    assert isinstance(slider, QSlider)
    assert isinstance(spin, QDoubleSpinBox)
    assert (slider.value(), spin.value()) == (50, 0.5)
    found = driver.state.detections
    assert found is not None
    with patch.object(Engine, "detect_in", side_effect=AssertionError("ran the model")):
        slider.setValue(65)
        assert spin.value() == 0.65
        assert rows(driver) == len(found.above(0.65))
        spin.setValue(0.1)
        assert slider.value() == 10
        assert rows(driver) == len(found.above(0.1)) == 12
        top_k = driver.find("topKSpin")
        assert isinstance(top_k, QSpinBox)
        assert top_k.text() == "all"
        top_k.setValue(3)
        assert rows(driver) == 3
        view = json_view(driver)
        answer = json.loads(view.toPlainText())
        assert (answer["top_k"], answer["threshold"]) == (3, 0.1)
        assert len(answer["predictions"][0]["result"]) == 3
        top_k.setValue(0)
        assert rows(driver) == 12


def test_table_and_boxes_select_each_other(driver: Driver) -> None:
    select_row(driver, 1)
    assert driver.state.selected == driver.window.view.selected == frozenset({1})
    driver.window.view.selection_changed.emit(frozenset({0, 2}))
    table = driver.find("detectionTable")
    assert isinstance(table, QTableView)
    selection = table.selectionModel()
    assert selection is not None
    assert sorted(at.row() for at in selection.selectedRows()) == [0, 2]
    driver.qtbot.keyClick(driver.window.view, Qt.Key.Key_Escape)
    assert driver.state.selected == frozenset()


def test_what_is_filtered_away_is_no_longer_selected(driver: Driver) -> None:
    found = driver.state.detections
    assert found is not None
    driver.window.viewer.choosing.set_threshold(0.0)
    select_row(driver, len(found) - 1)
    assert driver.state.selected
    driver.window.viewer.choosing.set_threshold(0.65)
    assert not driver.state.selected


def test_nothing_above_the_threshold_offers_a_lower_one(driver: Driver) -> None:
    driver.window.viewer.choosing.set_threshold(0.99)
    assert rows(driver) == 0
    panel = driver.window.panels.detections
    button = next(b for b in panel.findChildren(QPushButton) if b.isVisible())
    assert button.text().startswith("Lower the threshold to 0.")
    driver.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert rows(driver) >= 1
    assert driver.state.chosen.threshold > 0.5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<html></html>", "image"),
        (None, "There is no file"),
    ],
)
def test_a_failed_opening_says_why_and_keeps_what_is_shown(
    driver: Driver, tmp_path: Path, content: bytes | None, words: str
) -> None:
    before = driver.state
    broken = tmp_path / "坏.jpg"
    if content is not None:
        broken.write_bytes(content)
    edit = driver.find("sourceEdit")
    assert isinstance(edit, QLineEdit)
    edit.setText(str(broken))
    edit.setFocus()
    driver.qtbot.keyClick(edit, Qt.Key.Key_Return)
    driver.wait_told(words)
    assert driver.find("messageBar").isVisible()
    assert driver.state.image is before.image
    assert driver.state.detections is before.detections


def test_a_message_can_be_closed(driver: Driver) -> None:
    driver.window.tell("words")
    assert driver.find("messageBar").isVisible()
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_Escape)
    assert not driver.find("messageBar").isVisible()


def test_a_folder_is_gone_through_with_the_keys(open_window: OpenWindow, tmp_path: Path) -> None:
    for name in ("图10.png", "图2.png", "图1.png"):
        Image.new("RGB", (40, 30), "red").save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    driver = open_window(tmp_path)
    driver.wait_detected("图1.png")
    assert [source.name for source in driver.state.sources] == ["图1.png", "图2.png", "图10.png"]
    view = driver.window.view
    for key, name in [("d", "图2.png"), ("d", "图10.png"), ("a", "图2.png")]:
        driver.qtbot.keyClick(view, key)
        driver.wait_detected(name)
    driver.qtbot.keyClick(view, "d")
    driver.wait_detected("图10.png")
    driver.qtbot.keyClick(view, "d")
    driver.qtbot.wait(50)
    assert driver.state.at == 2


def test_an_unreadable_image_in_a_folder_does_not_stop_the_next(open_window: OpenWindow, tmp_path: Path) -> None:
    for name in ("1.png", "3.png"):
        Image.new("RGB", (40, 30), "red").save(tmp_path / name)
    (tmp_path / "2.png").write_text("no image")
    driver = open_window(tmp_path)
    driver.wait_detected("1.png")
    driver.qtbot.keyClick(driver.window.view, "d")
    driver.wait_until(lambda: "image" in driver.state.unreadable)
    driver.qtbot.keyClick(driver.find("unreadablePage"), "d")
    driver.wait_detected("3.png")


def test_letters_typed_into_the_address_are_no_commands(driver: Driver) -> None:
    edit = driver.find("sourceEdit")
    assert isinstance(edit, QLineEdit)
    driver.qtbot.keyClicks(edit, "dajk[]ot")
    assert edit.text() == "dajk[]ot"
    assert driver.state.chosen.threshold == 0.5
    assert driver.window.view.boxes_visible


def test_keys_on_the_image(driver: Driver) -> None:
    view = driver.window.view
    keys = driver.qtbot.keyClick
    keys(view, Qt.Key.Key_BracketRight)
    assert driver.state.chosen.threshold == 0.55
    keys(view, Qt.Key.Key_BracketLeft)
    assert driver.state.chosen.threshold == 0.5
    keys(view, "t")
    assert not view.boxes_visible
    keys(view, "t")
    keys(view, "j")
    assert driver.state.selected == {0}
    keys(view, "j")
    assert driver.state.selected == {1}
    keys(view, "k")
    assert driver.state.selected == {0}
    keys(view, "a", Qt.KeyboardModifier.ControlModifier)
    assert len(driver.state.selected) == rows(driver)
    keys(view, "0", Qt.KeyboardModifier.ControlModifier)
    assert view.zoom == pytest.approx(1.0)
    keys(view, "f", Qt.KeyboardModifier.ControlModifier)
    fitted = view.zoom
    view.fit()
    assert view.zoom == fitted != pytest.approx(1.0)
    keys(view, "l", Qt.KeyboardModifier.ControlModifier)
    assert driver.find("sourceEdit").hasFocus()


def test_a_model_that_fails_leaves_the_former_one(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "空").mkdir()
    before = driver.state.detections
    driver.window.panels.controls.folder_chosen.emit(tmp_path / "空")
    driver.wait_told("config.json is missing")
    picker = driver.find("modelPicker")
    assert isinstance(picker, QComboBox)
    assert picker.currentText() == "tiny-detr"
    assert driver.state.detections is before
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_F5)
    driver.wait_until(lambda: driver.state.detections is not before and driver.state.stage is None)


def test_another_model_detects_in_the_image_that_is_shown(driver: Driver, tmp_path: Path, tiny_detr: Path) -> None:
    import shutil

    shutil.copytree(tiny_detr, tmp_path / "第二")
    driver.window.panels.controls.folder_chosen.emit(tmp_path / "第二")
    driver.wait_until(lambda: driver.state.detections is not None and driver.state.detections.model == "第二")
    assert driver.state.models == ("starter", "tiny-detr", "第二")


def export_to(driver: Driver, path: Path) -> None:
    """Ctrl+Shift+S, a path, the button."""
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    driver.qtbot.keyClick(driver.window, "s", modifiers)
    target = driver.find("exportTarget")
    assert isinstance(target, QLineEdit)
    target.setText(str(path))
    driver.qtbot.mouseClick(driver.find("exportNow"), Qt.MouseButton.LeftButton)


def told_by_export(driver: Driver) -> str:
    summary = driver.find("exportSummary")
    assert isinstance(summary, QLabel)
    return summary.text()


def test_exports_and_copies(driver: Driver, tmp_path: Path) -> None:
    for name in ("标注.png", "标注.jpg", "标注.json"):
        export_to(driver, tmp_path / name)
        driver.wait_until(lambda: str(tmp_path / name) in told_by_export(driver))  # noqa: B023
        assert (tmp_path / name).stat().st_size > 100
    driver.find("exportDialog").close()
    driver.window.activateWindow()
    driver.window.view.setFocus()
    driver.wait_until(driver.window.view.hasFocus)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    driver.qtbot.keyClick(
        driver.window.view, "c", Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert json.loads(clipboard.text()) == json.loads((tmp_path / "标注.json").read_text("utf-8"))
    driver.qtbot.keyClick(driver.window.view, "c", Qt.KeyboardModifier.ControlModifier)
    driver.wait_told("annotated image is on the clipboard")
    assert clipboard.image().size() == QImage(str(tmp_path / "标注.png")).size()


def test_an_export_that_fails_names_the_file(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "no folder").write_text("")
    path = tmp_path / "no folder" / "a.png"
    export_to(driver, path)
    driver.wait_until(lambda: str(path.parent) in told_by_export(driver))


def test_selected_json_text_is_copied_as_text(driver: Driver) -> None:
    tabs = driver.window.findChild(QTabWidget)
    assert tabs is not None
    tabs.setCurrentIndex(1)
    view = json_view(driver)
    view.selectAll()
    driver.qtbot.keyClick(view, "c", Qt.KeyboardModifier.ControlModifier)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == view.toPlainText()


def test_a_script_can_pick_a_model_by_name(driver: Driver, tmp_path: Path, tiny_detr: Path) -> None:
    picker = driver.find("modelPicker")
    assert isinstance(picker, QComboBox)
    picker.setCurrentText("starter")
    driver.wait_until(lambda: driver.state.detections is not None and driver.state.detections.model == "starter")
    assert driver.state.model == "starter"


def test_a_window_opens_though_models_toml_is_broken_and_says_so(
    open_window: OpenWindow, image_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETRDESK_MODEL", "caps")
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "models.toml").write_text('[models.caps]\npath = "/models/caps\n', "utf-8")
    driver = open_window(image_file)
    driver.wait_told("models.toml, line 2")
    assert driver.state.image is not None
