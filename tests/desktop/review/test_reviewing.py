"""Decisions in the window: kept, found again, undone."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QLineEdit

from desktop.state.viewer import UNREADABLE, pointed
from engine.detect.recipe import Prepared
from engine.errors import EngineError
from engine.paths import data_dir
from engine.review.decision import Status
from engine.review.session import Session
from engine.runtimes.detector import Detector
from tests.desktop.conftest import Driver

OpenWindow = Callable[..., Driver]
KEY = Qt.Key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four images of different content, with Chinese names."""
    folder = tmp_path / "八月 客户"
    folder.mkdir()
    for at in range(1, 5):
        Image.effect_noise((160 + 8 * at, 120), 60 + 10 * at).convert("RGB").save(folder / f"图 {at}.png")
    return folder


@pytest.fixture
def review(open_window: OpenWindow, folder: Path) -> Driver:
    """A window on the folder, with five boxes shown in its first image."""
    driver = open_window(folder)
    driver.wait_detected("图 1.png")
    show_five(driver)
    return driver


def show_five(driver: Driver) -> None:
    """Put the threshold below the five best scores."""
    assert driver.state.detections is not None
    driver.window.viewer.choosing.set_threshold(float(driver.state.detections.scores[5]))
    assert driver.state.shown is not None
    assert len(driver.state.shown) == 5


def press(driver: Driver, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    driver.qtbot.keyClick(driver.window.view, key, modifier)


def statuses(driver: Driver) -> list[Status]:
    return [decision.status for decision in driver.state.decided.decisions]


def type_label(driver: Driver, label: str) -> None:
    edit = driver.find("relabelEdit")
    assert isinstance(edit, QLineEdit)
    driver.wait_until(edit.isVisible)
    edit.clear()
    edit.insert(label)  # as an input method does; QTest types ASCII alone
    driver.qtbot.keyClick(edit, KEY.Key_Return)


def test_keys_accept_reject_and_take_back(review: Driver) -> None:
    press(review, KEY.Key_J)
    press(review, KEY.Key_Return)
    press(review, KEY.Key_J)
    press(review, KEY.Key_X)
    assert statuses(review) == [Status.ACCEPTED, Status.REJECTED]
    press(review, KEY.Key_Backspace)
    assert statuses(review) == [Status.ACCEPTED]


def test_undo_and_redo_go_through_everything(review: Driver) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    for key in (KEY.Key_Return, KEY.Key_X, KEY.Key_Return):
        press(review, KEY.Key_J)
        press(review, key)
    review.window.viewer.reviewing.set_note("模糊")
    whole = review.state.decided
    for _ in range(4):
        press(review, KEY.Key_Z, control)
    assert review.state.decided.decisions == ()
    assert not review.state.session.undo
    for _ in range(4):
        press(review, KEY.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
    assert review.state.decided == whole
    assert not review.state.session.redo


def test_an_accepted_box_stays_whatever_the_threshold_is(review: Driver) -> None:
    press(review, KEY.Key_J)
    press(review, KEY.Key_Return)
    review.window.viewer.choosing.set_threshold(1.0)
    assert review.state.shown is not None
    assert [each.index for each in review.state.shown] == [0]


def test_space_accepts_what_is_undecided_and_goes_on_in_one_step(review: Driver) -> None:
    press(review, KEY.Key_J)
    press(review, KEY.Key_X)
    press(review, KEY.Key_Space)
    review.wait_detected("图 2.png")
    assert review.state.marks.reviewed_count == 1
    press(review, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    review.wait_detected("图 1.png")
    assert statuses(review) == [Status.REJECTED]
    assert review.state.marks.reviewed_count == 0


def test_relabelling_keeps_what_the_model_said(review: Driver) -> None:
    press(review, KEY.Key_J)
    press(review, KEY.Key_E, Qt.KeyboardModifier.ControlModifier)
    type_label(review, "破损标签")
    (decision,) = review.state.decided.decisions
    assert decision.label == "破损标签"
    assert decision.relabelled
    assert decision.status is Status.ACCEPTED
    assert decision.original is not None
    assert decision.original.score == decision.score
    assert review.state.shown is not None
    assert "破损标签" in [each.label for each in review.state.shown]


def test_a_drawn_box_is_added_and_deleted(review: Driver) -> None:
    review.window.view.box_drawn.emit((10.0, 12.0, 60.0, 70.0))
    type_label(review, "crate")
    (decision,) = review.state.decided.decisions
    assert (decision.status, decision.label, decision.box) == (Status.ADDED, "crate", (10.0, 12.0, 60.0, 70.0))
    assert review.state.selected == {-decision.id}
    press(review, KEY.Key_Delete)
    assert review.state.decided.decisions == ()


def test_moving_accepts_and_keeps_the_original(review: Driver) -> None:
    review.window.view.boxes_reshaped.emit({1: (1.0, 2.0, 30.0, 40.0)})
    (decision,) = review.state.decided.decisions
    assert decision.moved
    assert decision.status is Status.ACCEPTED
    assert decision.original is not None
    assert decision.original.box != decision.box


def test_another_run_of_the_model_changes_no_decision(review: Driver) -> None:
    for key in (KEY.Key_Return, KEY.Key_X):
        press(review, KEY.Key_J)
        press(review, key)
    before = review.state.decided
    first = review.state.detections
    press(review, KEY.Key_F5)
    review.wait_until(lambda: review.state.detections is not first and review.state.stage is None)
    assert review.state.decided == before
    assert review.state.reviewed is not None
    assert not review.state.reviewed.orphans


def test_reopening_shows_where_one_was(open_window: OpenWindow, review: Driver, folder: Path) -> None:
    press(review, KEY.Key_Space)
    review.wait_detected("图 2.png")
    press(review, KEY.Key_J)
    press(review, KEY.Key_Return)
    kept, threshold = review.state.decided, review.state.chosen.threshold
    review.window.close()
    again = open_window(folder)
    again.wait_detected("图 2.png")
    assert again.state.decided == kept
    assert again.state.chosen.threshold == threshold
    again.wait_until(lambda: again.state.marks.reviewed_count == 1)  # of images that are not shown, marks come later
    assert again.state.at == 1
    assert len(again.state.sources) == 4
    press(again, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert again.state.decided.decisions == ()


def test_decisions_follow_a_file_that_was_moved(open_window: OpenWindow, review: Driver, folder: Path) -> None:
    press(review, KEY.Key_J)
    press(review, KEY.Key_Return)
    review.window.close()
    (folder / "新").mkdir()
    shutil.move(folder / "图 1.png", folder / "新" / "改名.png")
    again = open_window(folder)
    again.wait_until(lambda: len(again.state.sources) == 4 and again.state.stage is None)
    place = [source.name for source in again.state.sources].index("改名.png")
    again.window.viewer.browsing.show_row(place)
    again.wait_detected("改名.png")
    assert statuses(again) == [Status.ACCEPTED]


def test_a_second_window_reads_only_and_says_so(open_window: OpenWindow, review: Driver, folder: Path) -> None:
    press(review, KEY.Key_J)
    press(review, KEY.Key_Return)
    second = open_window(folder)
    second.wait_detected("图 1.png")
    assert second.state.session.is_read_only
    assert statuses(second) == [Status.ACCEPTED]
    press(second, KEY.Key_J)
    press(second, KEY.Key_X)
    assert statuses(second) == [Status.ACCEPTED]
    assert "another window" in second.message.lower()


def test_a_decision_that_cannot_be_kept_is_not_shown_as_made(review: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise EngineError("cannot_write", "{path} cannot be written: {reason}.", path="x.detrdesk", reason="disk full")

    monkeypatch.setattr(Session, "do", full)
    press(review, KEY.Key_J)
    press(review, KEY.Key_Return)
    assert review.state.decided.decisions == ()
    assert "x.detrdesk" in review.message


def test_least_sure_goes_to_the_nearest_to_the_threshold(review: Driver) -> None:
    assert review.state.detections is not None
    scores = review.state.detections.scores
    review.window.viewer.choosing.set_threshold(float((scores[2] + scores[3]) / 2 + 1e-4))
    press(review, KEY.Key_U)
    nearest = int(abs(scores - review.state.chosen.threshold).argmin())
    assert review.state.selected == {nearest}
    press(review, KEY.Key_U)
    assert review.state.selected != {nearest}


def test_least_sure_goes_to_other_images_and_shows_the_box_there(review: Driver) -> None:
    review.window.viewer.choosing.set_threshold(0.0)
    press(review, KEY.Key_D)
    review.wait_detected("图 2.png")
    press(review, KEY.Key_A)
    review.wait_detected("图 1.png")
    seen = set()
    for _ in range(len(review.state.scores.scores)):
        review.window.viewer.choosing.select(frozenset())
        press(review, KEY.Key_U)
        review.wait_until(lambda: bool(review.state.selected) and review.state.stage is None)
        assert review.state.image is not None
        assert review.window.view.selected == review.state.selected
        seen.add((review.state.image.source.name, *review.state.selected))
    assert len(seen) == len(review.state.scores.scores)
    assert {name for name, _ in seen} == {"图 1.png", "图 2.png"}


def test_a_drawn_box_stays_in_sight_until_it_has_a_class(review: Driver) -> None:
    view, box = review.window.view, (10.0, 10.0, 60.0, 50.0)
    view.box_drawn.emit(box)
    assert view.unnamed == box
    review.qtbot.keyClick(review.find("relabelEdit"), KEY.Key_Escape)
    assert view.unnamed is None
    view.box_drawn.emit(box)
    type_label(review, "新")
    assert view.unnamed is None
    assert statuses(review) == [Status.ADDED]


def test_where_the_user_is_is_kept_without_closing(review: Driver) -> None:
    press(review, KEY.Key_D)
    review.wait_detected("图 2.png")
    session = review.window.viewer.session.session
    assert session is not None
    review.wait_until(lambda: str(session.view().get("location", "")).endswith("图 2.png"))


def test_unreadable_images_are_marked_and_passed_over(open_window: OpenWindow, folder: Path) -> None:
    (folder / "图 2.png").write_bytes(b"no image")
    driver = open_window(folder)
    driver.wait_detected("图 1.png")
    press(driver, KEY.Key_D)
    driver.wait_until(lambda: bool(driver.state.unreadable))
    assert driver.state.marks.flags[1] == UNREADABLE
    assert driver.state.image is None
    page = driver.find("unreadablePage")
    assert page.isVisible()
    assert any("图 2.png" in label.text() for label in page.findChildren(QLabel))
    assert driver.window.windowTitle() == "图 2.png – detrdesk"
    press(driver, KEY.Key_Space)
    driver.wait_detected("图 3.png")
    assert not page.isVisible()
    press(driver, KEY.Key_A, Qt.KeyboardModifier.ShiftModifier)
    driver.wait_detected("图 1.png")


def test_a_whole_folder_is_reviewed_by_keyboard_alone(review: Driver) -> None:
    review.window.viewer.choosing.set_threshold(0.0)
    for at in range(1, 5):
        review.wait_detected(f"图 {at}.png")
        press(review, KEY.Key_J)
        press(review, KEY.Key_X if at % 2 else KEY.Key_Return)
        press(review, KEY.Key_J)
        press(review, KEY.Key_E, Qt.KeyboardModifier.ControlModifier)
        type_label(review, f"类 {at}")
        press(review, KEY.Key_Space)
    assert review.state.marks.reviewed_count == 4
    assert "left to review" in review.message
    review.window.close()
    session = Session.open(_session_file())
    try:
        kept = dict(session.all_reviews())
    finally:
        session.close()
    assert len(kept) == 4
    assert all(each.is_reviewed for each in kept.values())
    labels = {decision.label for each in kept.values() for decision in each.decisions}
    assert {f"类 {at}" for at in range(1, 5)} <= labels


def _session_file() -> Path:
    (found,) = [path for path in (data_dir() / "sessions").glob("*.detrdesk") if "Single" not in path.name]
    return found


def test_space_waits_until_the_model_has_answered(review: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    detect = Detector.detect

    def slow(detector: Detector, prepared: Prepared) -> object:
        assert go.wait(20)
        return detect(detector, prepared)

    monkeypatch.setattr(Detector, "detect", slow)
    review.window.viewer.browsing.show_row(3)
    review.wait_until(lambda: shown_name(review) == "图 4.png")
    press(review, KEY.Key_Space)
    assert not review.state.decided.is_reviewed
    go.set()
    review.wait_detected("图 4.png")
    press(review, KEY.Key_Space)
    assert review.state.decided.is_reviewed


def test_a_class_that_is_being_typed_is_not_given_in_another_image(review: Driver) -> None:
    review.window.view.box_drawn.emit((10.0, 12.0, 60.0, 70.0))
    edit = review.find("relabelEdit")
    review.wait_until(edit.isVisible)
    review.window.viewer.browsing.go(1)
    review.wait_detected("图 2.png")
    assert not edit.isVisible()
    assert review.state.decided.decisions == ()


def test_nothing_is_decided_in_a_session_before_its_first_image_is_there(review: Driver, tmp_path: Path) -> None:
    other = tmp_path / "另一个"
    other.mkdir()
    for at in (1, 2):
        (other / f"{at}.png").write_bytes(b"no image")
    press(review, KEY.Key_J)
    press(review, KEY.Key_Return)
    review.window.viewer.browsing.open([other])
    review.wait_until(lambda: bool(review.state.unreadable))
    assert (review.state.image, review.state.at) == (None, 0)
    press(review, KEY.Key_X)
    assert review.state.decided.decisions == ()
    assert not review.state.session.undo


def test_two_openings_in_a_row_do_not_lock_each_other_out(review: Driver, folder: Path) -> None:
    for at in (2, 3):
        review.window.viewer.browsing.open([folder / f"图 {at}.png"])
    review.wait_detected("图 3.png")
    assert not review.state.session.is_read_only


def test_export_while_the_next_image_is_being_opened_names_each_image_once(review: Driver) -> None:
    viewer = review.window.viewer
    viewer.holder.set(pointed(viewer.state, 2))
    names = [candidate.source.name for candidate in viewer.exports.candidates()]
    assert names == [f"图 {at}.png" for at in range(1, 5)]


def test_cancel_goes_back_to_the_image_that_is_shown(review: Driver) -> None:
    viewer = review.window.viewer
    viewer.browsing.show_row(2)
    viewer.browsing.cancel()
    assert review.state.at == (2 if shown_name(review) == "图 3.png" else 0)


def test_undo_says_when_it_was_elsewhere(review: Driver, tmp_path: Path) -> None:
    viewer = review.window.viewer
    for name in ("甲.png", "乙.png"):
        Image.effect_noise((90, len(name.encode()) * 9), 50).convert("RGB").save(tmp_path / name)
        viewer.browsing.open([tmp_path / name])
        review.wait_detected(name)
        if name == "甲.png":
            viewer.choosing.set_threshold(0.0)
            press(review, KEY.Key_J)
            press(review, KEY.Key_Return)
    press(review, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "not in this list" in review.message


def shown_name(driver: Driver) -> str:
    return "" if driver.state.image is None else driver.state.image.source.name
