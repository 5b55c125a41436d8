"""The models dialog in a window: adding, using, renaming, removing, conversions, precisions, failures."""

from __future__ import annotations

import gc
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest
from PyQt5.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt5.QtGui import QDropEvent, QStandardItem, QStandardItemModel
from PyQt5.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QWidget,
)

from desktop.models.dialog import ModelDialog
from desktop.models.facts import runtime_text
from desktop.models.manager import ModelManager
from desktop.models.names import NamesDialog
from desktop.state.model import ModelView, Presence
from desktop.work.task_runner import running_threads
from engine.batch import measuring, precisions
from engine.batch.measuring import Progress
from engine.engine import Engine
from engine.errors import CancelledError
from engine.image.source import Source
from engine.inference.conversions import Conversion
from engine.inference.runtime_selector import RuntimeState
from engine.models.catalog.entry import Defaults
from engine.models.fingerprint import fingerprint
from engine.models.onnx.class_names import shared_list
from engine.paths import resource
from engine.runtimes.openvino_library import native_precisions
from engine.settings import load_settings
from tests.checkpoints import make_checkpoint
from tests.desktop.conftest import Driver
from tests.engine.inference.conversion import keep_converted
from tests.engine.inference.fast_forms import keep_form
from tests.onnx_files import write_finished

LONG = "2026-09-14 华东仓库 快递面单与条码检测 第三批次微调 最终版本"
MEGABYTE = 1 << 20
CTRL = Qt.KeyboardModifier.ControlModifier


class Manager:
    """The models dialog of a window under test."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        driver.qtbot.keyClick(driver.window, "m", CTRL)
        driver.wait_until(lambda: self.dialog.models.list.row is not None)

    @property
    def manager(self) -> ModelManager:
        return self.driver.window.viewer.models

    @property
    def dialog(self) -> ModelDialog:
        dialog = self.driver.window.findChild(ModelDialog)
        assert dialog is not None
        return dialog

    @property
    def told(self) -> str:
        label = self.dialog.findChild(QLabel, "modelTold")
        assert label is not None
        return label.text()

    @property
    def view(self) -> ModelView | None:
        return self.dialog.models.card.view

    def names(self) -> list[str]:
        return [row.name for row in self.manager.views.rows]

    def presence(self, name: str) -> Presence | None:
        return next((row.presence for row in self.manager.views.rows if row.name == name), None)

    def select(self, name: str) -> ModelView:
        """Select a model and wait for its card."""
        self.driver.wait_until(lambda: name in self.names())
        self.dialog.models.list.select(name)
        self.driver.wait_until(lambda: self.view is not None and self.view.row.name == name)
        assert self.view is not None
        return self.view

    def add(self, folder: Path) -> None:
        """The button, and a folder in the dialog that it opens."""
        with patch.object(QFileDialog, "getExistingDirectory", return_value=str(folder)):
            self.press("modelAddFolder")

    def press(self, name: str) -> None:
        button = self.dialog.findChild(QPushButton, name)
        assert button is not None
        assert button.isEnabled(), name
        self.driver.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def use(self, name: str) -> None:
        self.select(name)
        self.press("modelUse")
        self.driver.wait_until(lambda: self.presence(name) is Presence.IN_USE)

    def rename(self, name: str, new: str) -> None:
        """The button, then typing over the name."""
        self.select(name)
        self.press("modelRename")
        editor = next(each for each in self.dialog.models.list.findChildren(QLineEdit) if each.isVisible())
        editor.setText(new)
        self.driver.qtbot.keyClick(editor, Qt.Key.Key_Return)

    def remove(self, name: str, button: str = "removeOnly") -> None:
        self.select(name)
        self.press("modelRemove")
        box = self.dialog.findChild(QMessageBox, "removalBox")
        assert box is not None
        answer = box.findChild(QPushButton, button)
        assert answer is not None
        self.driver.qtbot.mouseClick(answer, Qt.MouseButton.LeftButton)

    def facts(self) -> dict[str, tuple[str, str]]:
        assert self.view is not None
        return {fact.title: (fact.number, fact.text) for fact in self.view.facts}


@pytest.fixture
def manager(driver: Driver) -> Manager:
    return Manager(driver)


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another checkpoint, in a folder as people name them."""
    return make_checkpoint(tmp_path_factory.mktemp("models") / LONG, "detr", seed=1)


@pytest.fixture
def broken(tmp_path: Path, second: Path) -> Path:
    """A checkpoint whose tensors were cut off; what is read for its card is whole."""
    folder = tmp_path / "abgeschnitten"
    shutil.copytree(second, folder)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-40])
    return folder


def catalog_file(home: Path) -> Path:
    return home / "config" / "models.toml"


def drop(widget: QWidget, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    where = QPointF(QPoint(50, 50))
    event = QDropEvent(where, action, mime, button, Qt.KeyboardModifier.NoModifier)
    widget.dropEvent(event)


def test_what_is_ready_but_not_in_memory_is_told_as_such() -> None:
    """Torch does not differ from itself."""
    ready = RuntimeState("torch", "cpu", "converted", score_difference=1e-6, pixel_difference=1e-3)
    assert runtime_text(ready) == "PyTorch on cpu; OpenVINO takes over at the next answer"
    assert "differs from PyTorch by at most 1e-06" in runtime_text(replace(ready, runtime="openvino"))


def test_a_folder_is_added_used_and_there_at_the_next_start(manager: Manager, second: Path, own_home: Path) -> None:
    assert manager.names() == ["starter", "tiny-detr"]
    assert manager.presence("tiny-detr") is Presence.IN_USE
    manager.add(second)
    view = manager.select(LONG)
    assert str(second) in catalog_file(own_home).read_text("utf-8")
    assert view.is_kept
    assert view.classes == ((0, "cat"), (1, "dog"), (2, "猫头鹰"))
    facts = manager.facts()
    assert facts["Family"] == ("", "detr")
    assert facts["Backbone"] == ("", "resnet6")
    assert facts["Classes"] == ("3", "classes")
    assert facts["Size on disk"][1] == "MB"
    assert facts["Runtime"][1].startswith("PyTorch")
    assert "Last answer" not in facts
    manager.use(LONG)
    driver = manager.driver
    driver.wait_until(lambda: driver.state.detections is not None and driver.state.detections.model == LONG)
    assert driver.state.models == ("starter", LONG, "tiny-detr")
    manager.driver.wait_until(lambda: "Last answer" in manager.facts())
    assert manager.facts()["Last answer"][1].startswith("ms, PyTorch on cpu, 20")
    assert manager.presence("tiny-detr") is Presence.IN_MEMORY


def test_a_model_of_this_run_is_kept_by_its_button(manager: Manager, own_home: Path) -> None:
    assert not manager.select("tiny-detr").is_kept
    manager.press("modelKeep")
    manager.driver.wait_until(lambda: manager.view is not None and manager.view.is_kept)
    assert "[tiny-detr]" in catalog_file(own_home).read_text("utf-8")


def test_what_cannot_be_used_is_not_added_and_says_why(manager: Manager, tmp_path: Path, own_home: Path) -> None:
    (tmp_path / "空").mkdir()
    manager.add(tmp_path / "空")
    manager.driver.wait_until(lambda: "config.json is missing" in manager.told)
    assert "空" not in manager.names()
    assert not catalog_file(own_home).exists()


def test_a_model_that_fails_to_load_leaves_the_former_one_serving(
    manager: Manager, broken: Path, second: Path, image_file: Path
) -> None:
    """Its card says so, its button is not there; where it is chosen all the same, nothing is lost."""
    driver = manager.driver
    shutil.copytree(second, broken.with_name("gut"))
    manager.add(broken.with_name("gut"))
    manager.select("gut")
    shutil.copy(broken / "model.safetensors", broken.with_name("gut") / "model.safetensors")
    driver.wait_until(lambda: manager.presence("gut") is Presence.BROKEN)
    driver.wait_until(lambda: "model.safetensors" in manager.select("gut").row.problem)
    before, chosen = driver.state.detections, driver.state.chosen
    driver.window.viewer.model_choice.set_model("gut")
    driver.wait_until(lambda: "model.safetensors" in driver.message and driver.state.model == "tiny-detr")
    assert driver.state.detections is before
    assert driver.state.chosen == chosen
    assert driver.find("modelPicker").currentText() == "tiny-detr"  # type: ignore[attr-defined]
    driver.qtbot.mouseClick(driver.find("detectButton"), Qt.MouseButton.LeftButton)
    driver.wait_until(lambda: driver.state.detections is not before and driver.state.stage is None)


def test_the_one_that_was_loaded_last_serves_even_where_it_was_not_asked_yet(
    open_window: Callable[..., Driver], second: Path, tmp_path: Path
) -> None:
    driver = open_window()
    driver.wait_until(lambda: driver.state.stage is None)
    driver.window.viewer.model_choice.use_folder(second)
    driver.wait_until(lambda: driver.state.stage is None)
    (tmp_path / "leer").mkdir()
    driver.window.viewer.model_choice.use_folder(tmp_path / "leer")
    driver.wait_told("config.json is missing")
    assert driver.state.model == LONG


def test_a_model_is_renamed_in_place_and_stays_the_one_in_use(manager: Manager, second: Path, own_home: Path) -> None:
    driver = manager.driver
    manager.add(second)
    manager.use(LONG)
    driver.wait_until(lambda: driver.state.stage is None)
    driver.window.preferences.change_settings(model=LONG)
    shown = driver.state.shown
    manager.rename(LONG, "快递面单 3")
    driver.wait_until(lambda: driver.state.model == "快递面单 3")
    assert driver.state.models == ("starter", "快递面单 3", "tiny-detr")
    assert driver.state.shown is not None
    assert shown is not None
    assert len(driver.state.shown) == len(shown)
    assert '["快递面单 3"]' in catalog_file(own_home).read_text("utf-8")
    assert load_settings().model != LONG
    assert driver.window.preferences.settings.model == "快递面单 3"
    manager.select("快递面单 3")
    assert manager.presence("快递面单 3") is Presence.IN_USE


@pytest.mark.parametrize("new", ["starter", "tiny-detr", "a/b", " "])
def test_a_name_that_cannot_be_is_refused_in_a_sentence(manager: Manager, second: Path, new: str) -> None:
    manager.add(second)
    manager.rename(LONG, new)
    manager.driver.wait_until(lambda: bool(manager.told))
    assert LONG in manager.names()
    manager.select("starter")
    assert not manager.dialog.findChild(QPushButton, "modelRename").isEnabled()  # type: ignore[union-attr]
    assert not manager.dialog.findChild(QPushButton, "modelRemove").isEnabled()  # type: ignore[union-attr]


def test_a_removed_model_keeps_its_files_and_the_starter_takes_over(manager: Manager, second: Path) -> None:
    driver = manager.driver
    manager.add(second)
    manager.use(LONG)
    driver.wait_until(lambda: driver.state.stage is None)
    manager.remove(LONG)
    driver.wait_until(lambda: driver.state.model == "starter" and LONG not in manager.names())
    driver.wait_until(lambda: driver.state.detections is not None and driver.state.detections.model == "starter")
    assert (second / "model.safetensors").exists()
    assert LONG not in driver.state.models


def test_a_models_own_threshold_top_k_and_classes_hold_while_it_is_chosen(manager: Manager, second: Path) -> None:
    driver, viewer = manager.driver, manager.driver.window.viewer
    viewer.choosing.set_threshold(0.4)
    manager.add(second)
    manager.select(LONG)
    choice = manager.dialog.models.card.defaults
    threshold, top_k = choice.findChild(QDoubleSpinBox, "modelThreshold"), choice.findChild(QSpinBox, "modelTopK")
    classes = choice.findChild(QListWidget, "modelClasses")
    assert threshold is not None
    assert top_k is not None
    assert classes is not None
    assert (threshold.text(), top_k.text()) == ("not set", "not set")
    threshold.setValue(0.2)
    top_k.setValue(7)
    classes.item(1).setCheckState(Qt.CheckState.Unchecked)
    wanted = Defaults(0.2, 7, frozenset({"cat", "猫头鹰"}))
    driver.wait_until(lambda: manager.view is not None and manager.view.defaults == wanted)
    assert driver.state.chosen.threshold == 0.4
    manager.use(LONG)
    driver.wait_until(lambda: driver.state.refinement.hidden == frozenset({"dog"}))
    assert (driver.state.chosen.threshold, driver.state.chosen.top_k) == (0.2, 7)
    viewer.choosing.set_top_k(3)
    viewer.model_choice.set_model("tiny-detr")
    assert driver.state.chosen.threshold == 0.4
    assert driver.state.chosen.top_k == 3  # what the user chose meanwhile stays
    assert driver.state.refinement.hidden == frozenset()


def test_a_model_that_fails_takes_its_defaults_back(manager: Manager, second: Path, tmp_path: Path) -> None:
    driver, viewer = manager.driver, manager.driver.window.viewer
    shutil.copytree(second, tmp_path / "bald")
    manager.add(tmp_path / "bald")
    manager.select("bald")
    with driver.qtbot.waitSignal(viewer.models.editor.defaults_changed):
        viewer.models.editor.set_defaults("bald", Defaults(0.9, 1, frozenset({"cat"})))
    with driver.qtbot.waitSignal(viewer.models.editor.defaults_changed):
        viewer.models.editor.set_defaults("tiny-detr", Defaults(0.3))
    viewer.choosing.set_threshold(0.6)
    (tmp_path / "bald" / "config.json").unlink()
    viewer.model_choice.set_model("bald")
    assert driver.state.chosen.threshold == 0.9
    driver.wait_told("config.json is missing")
    assert driver.state.model == "tiny-detr"
    assert (driver.state.chosen.threshold, driver.state.chosen.top_k) == (0.6, None)


def test_an_added_model_is_converted_and_the_card_shows_how_far_it_is(manager: Manager, second: Path) -> None:
    begun, states, cancelled = [], [Conversion("waiting"), Conversion("converting", 40)], []

    def state(engine: Engine, model: str) -> Conversion:
        return states[0] if model == LONG and not cancelled else Conversion()

    def convert(engine: Engine, model: str, progress: Callable[[Conversion], None]) -> None:
        begun.append(model)
        while not cancelled:
            progress(states[0])
            time.sleep(0.01)

    with (
        patch.object(Engine, "conversion", state),
        patch.object(Engine, "convert", convert),
        patch.object(Engine, "cancel_conversion", lambda engine, model: cancelled.append(model)),
    ):
        manager.add(second)
        manager.select(LONG)
        text = manager.dialog.findChild(QLabel, "modelConversionText")
        assert text is not None
        manager.driver.wait_until(
            lambda: text.isVisible() and text.text() == "Waiting to be converted for this processor"
        )
        del states[0]
        manager.driver.wait_until(lambda: text.text() == "Converting for this processor, 40 %")
        assert begun == [LONG]
        manager.press("modelConversionCancel")
        manager.driver.wait_until(lambda: not text.isVisible())
        assert cancelled == [LONG]
        manager.driver.wait_until(lambda: "models-convert" not in running_threads())


def test_a_catalog_that_is_changed_by_hand_is_noticed(manager: Manager, second: Path, own_home: Path) -> None:
    driver = manager.driver
    file = catalog_file(own_home)
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"# my models\n['von Hand']\nfolder = '{second}'\n", "utf-8")
    driver.wait_until(lambda: "von Hand" in driver.state.models and "von Hand" in manager.names())
    assert driver.find("modelPicker").findText("von Hand") > 0  # type: ignore[attr-defined]
    driver.window.viewer.model_choice.set_model("von Hand")
    driver.wait_until(lambda: manager.presence("von Hand") is Presence.IN_USE)

    file.write_text("# my models\n['von Hand']\nfolder = '/nowhere\n", "utf-8")
    driver.wait_until(lambda: "models.toml, line 3" in driver.message)
    assert "von Hand" in driver.state.models
    assert driver.state.model == "von Hand"
    manager.rename("von Hand", "anders")
    driver.wait_until(lambda: "line 3" in manager.told)

    file.write_text("# my models\n", "utf-8")
    driver.wait_until(lambda: driver.state.model == "starter")
    assert "von Hand" not in driver.state.models


def test_a_catalog_that_is_broken_at_the_start_is_told_and_the_window_works(
    own_home: Path, open_window: Callable[..., Driver], image_file: Path
) -> None:
    catalog_file(own_home).parent.mkdir()
    catalog_file(own_home).write_text("[a]\nfolder = \n", "utf-8")
    driver = open_window(image_file)
    driver.wait_detected(image_file.name)
    driver.wait_until(lambda: "models.toml, line 2" in driver.message)
    assert driver.state.models == ("starter", "tiny-detr")


def test_a_checkpoint_that_is_dropped_on_the_window_is_offered_as_a_model(
    driver: Driver, second: Path, image_file: Path
) -> None:
    before = driver.state.sources
    drop(driver.window, second)
    driver.wait_until(lambda: "is a model" in driver.message)
    assert driver.state.sources == before
    assert LONG not in driver.state.models
    offer = driver.find("messageOffer")
    assert isinstance(offer, QPushButton)
    assert offer.isVisible()
    assert offer.text() == "Use it"
    driver.qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    driver.wait_until(lambda: driver.state.detections is not None and driver.state.detections.model == LONG)
    drop(driver.window, image_file.parent)
    driver.wait_until(lambda: driver.state.sources is not before and driver.state.stage is None)
    assert not driver.find("messageBar").isVisible()


def test_models_that_are_dropped_on_the_dialog_are_added(manager: Manager, second: Path, tmp_path: Path) -> None:
    onnx = write_finished(tmp_path / "export.onnx", {"names": str(["a", "b"])})
    drop(manager.dialog, second, onnx)
    manager.driver.wait_until(lambda: {LONG, "export"} <= set(manager.names()))


def test_class_names_that_nothing_tells_are_asked_for_once(driver: Driver, tmp_path: Path) -> None:
    onnx = write_finished(tmp_path / "export.onnx")
    viewer = driver.window.viewer
    viewer.models.editor.add(onnx, use=True)
    driver.wait_until(lambda: driver.window.findChild(NamesDialog) is not None)
    dialog = driver.window.findChild(NamesDialog)
    assert dialog is not None
    driver.wait_until(lambda: driver.state.model == "export" and driver.state.stage is None)
    coco = dialog.findChild(QRadioButton, "namesCoco91")
    assert coco is not None
    assert coco.isChecked()
    assert "90 classes" in dialog.findChildren(QLabel)[0].text()
    driver.qtbot.keyClick(dialog, Qt.Key.Key_Return)
    names = shared_list("coco-91")

    def has_names() -> bool:
        found = driver.state.detections
        return found is not None and found.model == "export" and found.names.get(1) == names[1]

    driver.wait_until(has_names)
    assert (tmp_path / "export.labels.txt").read_text("utf-8").splitlines() == list(names)
    viewer.model_choice.set_model("tiny-detr")
    driver.wait_until(lambda: driver.state.stage is None)
    with driver.qtbot.assertNotEmitted(viewer.models.names.wanted, wait=300):
        viewer.model_choice.set_model("export")


def test_class_names_come_from_a_file_or_are_numbers(driver: Driver, tmp_path: Path) -> None:
    onnx = write_finished(tmp_path / "export.onnx")
    viewer = driver.window.viewer
    viewer.models.editor.add(onnx, use=True)
    driver.wait_until(lambda: driver.window.findChild(NamesDialog) is not None)
    dialog = driver.window.findChild(NamesDialog)
    assert dialog is not None
    (tmp_path / "bad.txt").write_text("")
    dialog.take_file(tmp_path / "bad.txt")
    ok = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Use these names")
    assert not ok.isEnabled()
    (tmp_path / "good.txt").write_text("0 箱子\n2 托盘\n", "utf-8")
    dialog.take_file(tmp_path / "good.txt")
    assert dialog.names == ("箱子", "class 1", "托盘")
    assert ok.isEnabled()
    numbers = dialog.findChild(QRadioButton, "namesNumbers")
    assert numbers is not None
    numbers.setChecked(True)
    driver.qtbot.mouseClick(ok, Qt.MouseButton.LeftButton)
    driver.wait_until((tmp_path / "export.labels.txt").exists)
    lines = (tmp_path / "export.labels.txt").read_text("utf-8").splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("Class 0", "Class 89", 90)
    driver.wait_until(lambda: driver.state.stage is None)
    with driver.qtbot.assertNotEmitted(viewer.models.names.wanted, wait=300):
        viewer.models.names.ask("export")


def test_everything_in_the_dialog_is_named(manager: Manager, second: Path) -> None:
    manager.add(second)
    manager.select(LONG)
    kinds = (QPushButton, QLineEdit, QDoubleSpinBox, QSpinBox, QListWidget)
    fields = [each for kind in kinds for each in manager.dialog.findChildren(kind)]
    own = [each for each in fields if not each.objectName().startswith("qt_")]
    assert len(own) > 15
    assert [each.objectName() for each in own if not (each.objectName() and each.accessibleName())] == []


def swap(driver: Driver, models: tuple[str, str], times: int) -> int:
    """Swap forth and back, asking the model each time; returns the memory in use."""
    viewer = driver.window.viewer
    for at in range(times):
        viewer.model_choice.set_model(models[at % 2])
        driver.wait_until(lambda: driver.state.stage is None)
        viewer.browsing.detect_again()
        driver.wait_until(lambda: driver.state.stage is None)
    gc.collect()
    return int(psutil.Process().memory_info().rss)


@pytest.fixture
def one_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every swap unloads a model and loads one."""
    monkeypatch.setenv("DETRDESK_LOADED_MODELS", "1")


def test_swapping_models_costs_no_memory(one_in_memory: None, driver: Driver, second: Path) -> None:
    driver.window.viewer.model_choice.use_folder(second)
    driver.wait_until(lambda: driver.state.stage is None)
    before = swap(driver, ("tiny-detr", LONG), 6)
    assert swap(driver, ("tiny-detr", LONG), 10) - before < 40 * MEGABYTE


@pytest.mark.soak
def test_fifty_swaps_between_real_models_leave_memory_flat(one_in_memory: None, driver: Driver) -> None:
    driver.window.viewer.model_choice.set_model("starter")
    driver.wait_until(lambda: driver.state.stage is None)
    before = swap(driver, ("tiny-detr", "starter"), 10)
    after = swap(driver, ("tiny-detr", "starter"), 50)
    print(f"{before / MEGABYTE:.0f} MB after 10 swaps, {after / MEGABYTE:.0f} MB after 60, pid {os.getpid()}")
    assert after - before < 40 * MEGABYTE


class Precision:
    """What the card of the selected model offers of precisions."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.panel = manager.dialog.models.card.precision
        choice, button = self.panel.findChild(QComboBox), self.panel.findChild(QPushButton)
        assert choice is not None
        assert button is not None
        self.choice, self.button = choice, button

    def lines(self) -> list[tuple[str, bool]]:
        """Each precision, and whether it can be chosen."""
        return [(item.text(), item.isEnabled()) for item in self.items()]

    def items(self) -> list[QStandardItem]:
        rows = self.choice.model()
        assert isinstance(rows, QStandardItemModel)
        return [rows.item(row) for row in range(rows.rowCount())]

    def pick(self, row: int) -> None:
        """Choose a precision as a user does."""
        self.choice.setCurrentIndex(row)
        self.choice.activated.emit(row)


@pytest.fixture
def six_images(tmp_path: Path) -> Path:
    """A folder of samples."""
    folder = tmp_path / "sechs"
    folder.mkdir()
    for at, name in enumerate(("parcels.jpg", "shelf.jpg", "poster.jpg") * 2):
        shutil.copy(resource("samples", name), folder / f"{at}-{name}")
    return folder


@pytest.fixture
def precision(
    open_window: Callable[..., Driver], six_images: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Precision]:
    """The starter in a window with six images, on a processor that has every precision but no NNCF."""
    keep_converted(resource("starter"))
    monkeypatch.setenv("DETRDESK_RUNTIME", "auto")
    monkeypatch.setenv("DETRDESK_DEVICE", "cpu")
    monkeypatch.setenv("DETRDESK_MODEL", "starter")
    everything = frozenset({"f32", "bf16", "int8"})
    with (
        patch.object(precisions, "native_precisions", return_value=everything),
        patch.object(precisions, "find_spec", return_value=None),
    ):
        manager = Manager(open_window(six_images))
        manager.select("starter")
        found = Precision(manager)
        manager.driver.wait_until(lambda: found.choice.count() == 3)
        manager.driver.wait_until(lambda: len(manager.driver.state.sources) == 6 and found.button.isEnabled())
        yield found


def measuring_threads() -> set[str]:
    return {name for name in running_threads() if name.startswith("precision")}


def catalog_text(home: Path) -> str:
    file = catalog_file(home)
    return file.read_text("utf-8") if file.exists() else ""


def test_a_precision_is_measured_then_offered_and_chosen(precision: Precision, own_home: Path) -> None:
    manager, driver = precision.manager, precision.manager.driver
    assert precision.lines() == [
        ("f32, exact", True),
        ("bf16: not measured yet", False),
        ("int8: not on this machine", False),
    ]
    assert "NNCF" in precision.items()[2].toolTip()
    go_on, asked = threading.Event(), []

    def measured(
        engine: Engine, name: str, wanted: str, images: list[Source], tell: Progress, *_: Any, **__: Any
    ) -> None:
        asked.append((name, wanted, len(images)))
        tell("measuring", 3, 6)
        go_on.wait(20)
        keep_form(engine, name)

    with patch.object(measuring, "measure", measured):
        manager.press("modelMeasure")
        driver.wait_until(lambda: precision.button.text() == "bf16: measuring 3 of 6")
        go_on.set()
        driver.wait_until(lambda: precision.lines()[1] == ("bf16: 2.00 times as fast, AP 0.950 against f32", True))
    assert asked == [("starter", "bf16", 6)]
    assert precision.button.text() == "Measure on the open images"
    assert "40 detections kept, 2 lost, 1 new" in precision.items()[1].toolTip()
    precision.pick(1)
    driver.wait_until(lambda: 'precision = "bf16"' in catalog_text(own_home))
    driver.wait_until(lambda: precision.choice.currentIndex() == 1)
    precision.pick(0)
    driver.wait_until(lambda: "precision" not in catalog_text(own_home))


def test_a_precision_that_cannot_be_had_after_all_is_not_shown_as_chosen(precision: Precision, own_home: Path) -> None:
    precision.pick(1)
    precision.manager.driver.wait_until(lambda: "Measure bf16 on some images first." in precision.manager.told)
    precision.manager.driver.wait_until(lambda: precision.choice.currentIndex() == 0)
    assert "precision" not in catalog_text(own_home)


def test_a_precision_that_was_lost_is_told_and_can_be_measured_again(precision: Precision) -> None:
    """Its files were removed from the cache, or another version was installed."""
    manager, driver = precision.manager, precision.manager.driver
    engine = driver.window.viewer.engine
    keep_form(engine, "starter")
    precision.manager.manager.precisions.read("starter")
    driver.wait_until(lambda: precision.lines()[1][1])
    precision.pick(1)
    driver.wait_until(lambda: engine.catalog.entry("starter").precision == "bf16")
    engine.fast.drop(fingerprint(resource("starter")), "bf16")
    manager.manager.read()
    driver.wait_until(lambda: precision.lines()[1] == ("bf16: to be measured again, f32 answers", False))
    assert precision.choice.currentIndex() == 1
    card = manager.dialog.models.card
    lost = "There is no bf16 form of this model any more"
    driver.wait_until(lambda: any(lost in label.text() for label in card.findChildren(QLabel)))
    assert precision.button.isEnabled()
    precision.pick(0)
    driver.wait_until(lambda: engine.catalog.entry("starter").precision == "f32")


@pytest.mark.parametrize("end", ["click", "dialog", "window"])
def test_a_measurement_ends_where_nobody_waits_for_it(precision: Precision, end: str) -> None:
    manager, driver = precision.manager, precision.manager.driver
    ended = threading.Event()

    def endless(_e: Engine, _n: str, _p: str, _i: Any, _t: Progress, cancelled: Callable[[], bool], **_: Any) -> None:
        while not cancelled():
            ended.wait(0.01)
        ended.set()
        raise CancelledError

    with patch.object(measuring, "measure", endless):
        manager.press("modelMeasure")
        driver.wait_until(lambda: precision.button.text() == "bf16: loading…")
        assert "precisions-measure" in measuring_threads()
        if end == "click":
            manager.press("modelMeasure")
        else:
            (manager.dialog if end == "dialog" else driver.window).close()
        driver.wait_until(ended.is_set)
        if end != "window":
            driver.wait_until(lambda: manager.manager.precisions.view.measurement is None)
            assert not manager.told
            driver.window.close()
    assert measuring_threads() == set()


def test_with_too_few_images_nothing_is_measured(precision: Precision, image_file: Path) -> None:
    driver = precision.manager.driver
    driver.window.viewer.browsing.open([image_file])
    driver.wait_until(lambda: not precision.button.isEnabled())
    assert precision.button.toolTip() == "bf16 needs at least 5 images to be measured on."


def test_bf16_is_really_measured_on_the_open_images(precision: Precision) -> None:
    if "bf16" not in native_precisions():
        pytest.skip("this processor does not compute in bf16")
    precision.manager.press("modelMeasure")
    driver, seen = precision.manager.driver, precision.manager.manager.precisions
    driver.qtbot.waitUntil(lambda: seen.view.measurement is None, timeout=90_000)
    driver.wait_until(lambda: seen.view.offers[0].figures is not None)
    figures = seen.view.offers[0].figures
    assert figures is not None
    assert (figures.images, precision.manager.told) == (6, "")
    assert precision.lines()[1] == (
        f"bf16: {figures.speedup:.2f} times as fast, AP {figures.average_precision:.3f} against f32",
        seen.view.offers[0].can_be_chosen,
    )
