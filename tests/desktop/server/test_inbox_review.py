"""Reviewing the images of clients: marks, next unreviewed image, least certain box, export."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QListView

from desktop.export.exporter import ExportRequest, Scope
from desktop.review.known_detections import KnownDetections
from desktop.state.client_images import MOST_IMAGES, ClientImage
from desktop.state.viewer import UNKNOWN_COUNT
from engine.detect.detection import Detections, Filter
from engine.export.formats.coco import COCO_DATASET
from engine.export.item import Choice
from engine.image.source import Source
from engine.review.decision import Status
from engine.review.image_review import ImageReview
from engine.review.refine import Refinement
from tests.desktop.conftest import Driver

OpenWindow = Callable[..., Driver]
KEY, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier


def picture(seed: int) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def two_boxes(model: str, names: Mapping[int, str], best: float = 0.9) -> Detections:
    boxes = np.array([[2, 2, 20, 20], [10, 5, 38, 28]], np.float32)
    scores = np.array([best, 0.6], np.float32)
    return replace(Detections.from_arrays(scores, np.array([0, 1]), boxes, names, 40, 30), model=model)


class Review:
    """A window on two images of a folder, and three more that clients sent."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.viewer = driver.window.viewer
        assert driver.state.detections is not None
        self.names = driver.state.detections.names
        self.send(range(3))

    def send(self, seeds: range, first: int = 0, best: float = 0.9) -> None:
        found = two_boxes(self.driver.state.model, self.names, best)
        read = self.viewer.engine.read
        sources = [Source("bytes", f"API #{at + first}", f"inbox {at + first}", picture(at)) for at in seeds]
        self.viewer.browsing.add_client_images(
            [ClientImage(source, found, read(source).content_hash) for source in sources]
        )

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.driver.qtbot.keyClick(self.driver.window.view, key, modifier)

    def show(self, name: str) -> None:
        names = [source.name for source in self.driver.state.sources]
        self.viewer.browsing.show_row(names.index(name))
        self.driver.wait_detected(name)

    @property
    def flags(self) -> list[int]:
        return [int(flag) for flag in self.driver.state.marks.flags]

    @property
    def counts(self) -> list[int]:
        return [int(count) for count in self.driver.state.marks.counts]

    def exported(self, target: Path, choice: Choice = Choice.SHOWN) -> dict[str, Any]:
        with self.driver.qtbot.waitSignal(self.viewer.exports.exporter.finished, timeout=10_000):
            self.viewer.exports.export(ExportRequest(COCO_DATASET, Scope.SESSION, choice, target), ())
        written: dict[str, Any] = json.loads(target.read_text("utf-8"))
        return written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "客户"
    folder.mkdir()
    for at in (1, 2):
        Image.effect_noise((160 + 8 * at, 120), 60 + 10 * at).convert("RGB").save(folder / f"图 {at}.png")
    return folder


@pytest.fixture
def review(open_window: OpenWindow, folder: Path) -> Review:
    driver = open_window(folder)
    driver.wait_detected("图 1.png")
    return Review(driver)


def test_what_was_answered_is_counted_at_once(review: Review) -> None:
    assert review.counts[2:] == [2, 2, 2]
    review.viewer.choosing.set_threshold(0.7)
    assert review.counts[2:] == [1, 1, 1]
    assert review.driver.state.scores.count_above(0.7, review.names[0]) == 3
    review.viewer.choosing.set_refinement(Refinement(hidden=frozenset({review.names[0]})))
    assert review.counts[2:] == [0, 0, 0]


def test_space_goes_through_all_of_them_and_marks_each(review: Review) -> None:
    review.show("图 2.png")
    for name in ("API #0", "API #1", "API #2"):
        review.press(KEY.Key_Space)
        review.driver.wait_detected(name)
    review.press(KEY.Key_Space)
    assert "No image behind this one" in review.driver.message
    assert review.flags == [0, 1, 1, 1, 1]
    assert [decision.status for decision in review.driver.state.decided.decisions] == [Status.ACCEPTED] * 2
    view = review.driver.find("sourceList")
    assert isinstance(view, QListView)
    rows = view.model()
    assert rows is not None
    assert "reviewed" in rows.data(rows.index(4, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert "4 of 5 reviewed" in review.driver.find("sourceCount").text()  # type: ignore[attr-defined]


def test_the_next_open_one_passes_over_those_that_are_reviewed(review: Review) -> None:
    review.show("API #1")
    review.press(KEY.Key_R)
    review.show("API #0")
    review.press(KEY.Key_D, SHIFT)
    review.driver.wait_detected("API #2")
    review.press(KEY.Key_A, SHIFT)
    review.driver.wait_detected("API #0")


def test_undo_shows_the_image_that_it_was_in(review: Review) -> None:
    review.show("API #2")
    review.press(KEY.Key_R)
    review.show("图 1.png")
    review.press(KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    review.driver.wait_detected("API #2")
    assert review.flags == [0, 0, 0, 0, 0]


def test_the_least_sure_box_may_be_in_one_of_them(review: Review) -> None:
    review.send(range(3, 4), best=0.551)
    review.viewer.choosing.set_threshold(0.55)
    review.press(KEY.Key_U)
    review.driver.wait_detected("API #3")
    review.driver.wait_until(lambda: bool(review.driver.state.selected))
    assert review.driver.state.detections is not None
    [index] = review.driver.state.selected
    assert review.driver.state.detections.scores[index] == pytest.approx(0.551)


def test_the_same_image_sent_again_is_known_to_be_reviewed(review: Review) -> None:
    review.show("API #1")
    review.press(KEY.Key_R)
    review.send(range(1, 3), first=100)
    assert [source.name for source in review.driver.state.sources[5:]] == ["API #101", "API #102"]
    assert review.flags == [0, 0, 0, 1, 0, 1, 0]
    review.press(KEY.Key_R)
    assert review.flags == [0] * 7


def test_marks_stay_with_their_images_while_others_come_and_go(review: Review) -> None:
    review.show("API #2")
    review.press(KEY.Key_R)
    review.send(range(10, 8 + MOST_IMAGES))
    names = [source.name for source in review.driver.state.sources]
    assert names[2:5] == ["API #1", "API #2", "API #10"]
    assert review.flags == [int(name == "API #2") for name in names]
    review.show("图 1.png")
    review.send(range(300, 302 + MOST_IMAGES))
    assert len(review.flags) == 2 + MOST_IMAGES
    assert sum(review.flags) == 0
    assert review.counts[2:] == [2] * MOST_IMAGES
    assert review.driver.state.scores.count_above(0.5, review.names[0]) == MOST_IMAGES
    review.viewer.browsing.empty_inbox()
    assert review.driver.state.scores.count_above(0.5, review.names[0]) == 0


def test_another_folder_has_other_decisions_about_them(review: Review, tmp_path: Path, folder: Path) -> None:
    review.show("API #1")
    review.press(KEY.Key_R)
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (50, 40), "blue").save(other / "a.png")
    Image.new("RGB", (50, 40), "red").save(other / "b.png")
    review.viewer.browsing.open([other])
    review.driver.wait_detected("a.png")
    assert review.flags == [0] * 5
    assert review.counts[2:] == [2, 2, 2]
    review.viewer.browsing.open([folder])
    review.driver.wait_until(lambda: len(review.flags) == 5 and review.flags[3] == 1)


def test_an_export_of_all_has_each_of_them_with_what_was_decided(review: Review, tmp_path: Path) -> None:
    review.show("API #1")
    review.viewer.choosing.set_threshold(0.5)
    review.viewer.choosing.select(frozenset({0}))
    review.press(KEY.Key_X)
    review.viewer.choosing.select(frozenset({1}))
    review.viewer.reviewing.relabel("杯子")
    review.show("图 1.png")
    written = review.exported(tmp_path / "所有.json")
    labels = {each["id"]: each["name"] for each in written["categories"]}
    of_image = {each["id"]: each["file_name"] for each in written["images"]}
    boxes = [(of_image[each["image_id"]], labels[each["category_id"]]) for each in written["annotations"]]
    received = [each for each in boxes if each[0].startswith("API")]
    first, second = review.names[0], review.names[1]
    alone = [(name, label) for name in ("API #0", "API #2") for label in (first, second)]
    assert sorted(received) == sorted([*alone, ("API #1", "杯子")])


def test_only_what_was_accepted_is_exported_where_that_is_wished(review: Review, tmp_path: Path) -> None:
    review.show("API #0")
    review.viewer.choosing.set_threshold(0.5)
    review.press(KEY.Key_Space)
    review.driver.wait_detected("API #1")
    written = review.exported(tmp_path / "reviewed.json", Choice.REVIEWED)
    images = {each["id"]: each["file_name"] for each in written["images"]}
    assert [images[each["image_id"]] for each in written["annotations"]] == ["API #0"] * 2


def test_what_another_model_answered_is_exported_under_its_classes(review: Review, tmp_path: Path) -> None:
    source = Source("bytes", "API #9", "inbox 9", picture(9))
    read = review.viewer.engine.read(source)
    review.viewer.browsing.add_client_images(
        [ClientImage(source, two_boxes("another model", {0: "瓶", 1: "杯子"}), read.content_hash)]
    )
    written = review.exported(tmp_path / "out.json")
    names = [each["name"] for each in written["categories"]]
    assert names[-2:] == ["瓶", "杯子"]
    assert "API #9" in {each["file_name"] for each in written["images"]}


def test_a_pasted_image_is_exported_though_another_is_open(review: Review, tmp_path: Path) -> None:
    review.viewer.browsing.open([picture(77)])
    review.driver.wait_detected("pasted image")
    review.viewer.choosing.set_threshold(0.0)
    shown = review.driver.state.shown
    assert shown is not None
    assert len(shown) > 0
    review.show("API #0")
    written = review.exported(tmp_path / "out.json")
    pasted = next(each["id"] for each in written["images"] if each["file_name"].startswith("pasted image"))
    assert sum(each["image_id"] == pasted for each in written["annotations"]) == len(shown)


def test_detect_in_all_leaves_out_what_was_answered(review: Review) -> None:
    with review.driver.qtbot.waitSignal(review.viewer.batch.finished, timeout=30_000) as finished:
        review.viewer.detect_all()
    assert finished.args[0].total == 2
    review.driver.wait_until(lambda: UNKNOWN_COUNT not in review.counts)
    assert review.counts[2:] == [2, 2, 2]


def test_another_model_leaves_clients_their_answers() -> None:
    known, source = KnownDetections(), Source("bytes", "API #1", "inbox 1", picture(1))
    found = two_boxes("first", {0: "a", 1: "b"})
    known.images.add(["/a.png"])
    number = known.images.number_at("/a.png")
    assert number is not None
    known.set_client_images([ClientImage(source, found, "1")], [source], lambda _: ImageReview())
    known.images.set_read(number, "2", is_reviewed=False)
    known.put("2", found, ())
    known.hold("2", found)
    known.forget(lambda _: ImageReview())
    assert list(known.held.values()) == [found]
    assert known.scores().count_above(0.5) == 2
    marks = known.images.marks(2, known.scores(), Filter(threshold=0.5), Refinement())
    assert marks.counts.tolist() == [UNKNOWN_COUNT, 2]
