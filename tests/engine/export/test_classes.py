"""Numbers of classes, the same at every export."""

from __future__ import annotations

import pytest

from engine.errors import EngineError
from engine.export.classes import ExportClasses

NAMES = {90: "toothbrush", 1: "person", 12: "N/A", 26: "N/A"}


def test_added_classes_come_behind_the_highest_id_in_the_order_of_their_decisions() -> None:
    table = ExportClasses.of(NAMES, ["狗", "person", "猫", "狗"])
    assert dict(table.names) == {1: "person", 12: "N/A", 26: "N/A", 90: "toothbrush", 91: "狗", 92: "猫"}
    later = ExportClasses.of(NAMES, ["狗", "person", "猫", "狗", "a"])
    assert dict(table.names).items() <= dict(later.names).items()


def test_yolo_ids_have_no_gaps_and_stay_when_a_class_is_added() -> None:
    assert ExportClasses.of(NAMES).yolo_ids == {1: 0, 12: 1, 26: 2, 90: 3}
    assert ExportClasses.of(NAMES, ["猫"]).yolo_ids == {1: 0, 12: 1, 26: 2, 90: 3, 91: 4}


def test_two_ids_of_one_name() -> None:
    table = ExportClasses.of(NAMES)
    assert table.id_of(26, "N/A") == 26
    assert table.id_of(1, "N/A") == 12


def test_an_id_that_another_image_gave_to_another_class() -> None:
    """`merge.review` numbers added classes image by image."""
    table = ExportClasses.of(NAMES, ["狗", "猫"])
    assert table.id_of(91, "猫") == 92


def test_no_classes_at_all() -> None:
    assert dict(ExportClasses.of({}, ["猫"]).names) == {0: "猫"}


def test_a_class_that_nobody_named_is_reported() -> None:
    with pytest.raises(EngineError, match="狗"):
        ExportClasses.of(NAMES).id_of(91, "狗")
