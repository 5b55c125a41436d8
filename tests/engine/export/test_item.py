"""Which boxes an export takes of an image, and how they are made fit to be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.detect.detection import Detections
from engine.errors import EngineError
from engine.export.classes import ExportClasses
from engine.export.item import Choice
from engine.image.source import Source
from tests.engine.export.session import BOXES, CLASSES, NAMES, item_of

SOURCE = Source("path", "图.jpg", "/data/图.jpg")


def test_reviewed_work_is_what_was_accepted_and_added() -> None:
    item = item_of(SOURCE, Choice.REVIEWED)
    assert [detection.label for detection in item.shown] == ["猫", "二维码"]
    assert item.statuses == ("added", "accepted")


def test_all_that_is_shown_is_everything_but_what_was_rejected() -> None:
    item = item_of(SOURCE, Choice.SHOWN)
    assert [detection.label for detection in item.shown] == ["猫", "二维码", "箱子 <&>"]
    assert item.statuses == ("added", "accepted", "undecided")


def test_label_ids_are_those_of_the_whole_export() -> None:
    item = item_of(SOURCE).ready(ExportClasses.of(NAMES, ["狗", "猫"]))
    assert [(each.label_id, each.label) for each in item.shown] == [(7, "猫"), (1, "二维码"), (3, "箱子 <&>")]


def test_boxes_are_clipped_and_those_without_area_left_out() -> None:
    item = item_of(SOURCE)
    boxes = np.array([[-5, -5, 30, 300], [50, 10, 50, 20], [250, 10, 300, 20]], np.float32)
    ready = replace(item, shown=replace(item.shown, boxes=boxes)).ready(CLASSES)
    assert ready.shown.boxes.tolist() == [[0, 0, 30, 120]]
    assert ready.statuses == ("added",)


def test_a_box_that_is_no_number_is_left_out() -> None:
    item = item_of(SOURCE)
    boxes = item.shown.boxes.copy()
    boxes[1, 2] = np.nan
    assert replace(item, shown=replace(item.shown, boxes=boxes)).ready(CLASSES).statuses == ("added", "undecided")


def test_no_boxes_at_all() -> None:
    none = np.empty(0, np.float32)
    shown = Detections.from_arrays(none, np.empty(0, np.int64), none, NAMES, 200, 120)
    assert len(replace(item_of(SOURCE), shown=shown, statuses=()).ready(CLASSES).shown) == 0


def test_pixels_of_another_size_are_refused() -> None:
    item = item_of(SOURCE, pixels=lambda: Image.new("RGB", (120, 200)))
    with pytest.raises(EngineError, match=r"图\.jpg has changed since"):
        item.image()


def test_a_file_that_is_gone_is_an_error_with_its_name() -> None:
    item = item_of(SOURCE, pixels=lambda: Image.open(Path("/data/图.jpg")))
    with pytest.raises(EngineError, match=r"图\.jpg cannot be read"):
        item.image()


def test_the_accepted_box_is_the_one_that_was_decided() -> None:
    accepted = item_of(SOURCE, Choice.REVIEWED).shown[1]
    assert accepted.box == BOXES[0]
    assert accepted.score == pytest.approx(0.9)
