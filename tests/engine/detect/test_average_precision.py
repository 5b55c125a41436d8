"""Average precision as COCO's own evaluation counts it, and what changes at a threshold."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from engine.detect.average_precision import Changes, Compared, average_precision, changes, overlaps
from engine.detect.detection import Detections

NAMES = {0: "cat", 1: "dog", 2: "owl", 3: "fox"}


def detections(*found: tuple[float, int, tuple[float, float, float, float]]) -> Detections:
    """Of (score, label id, xyxy) in an image of 400 x 300 pixels."""
    scores = np.array([each[0] for each in found], np.float32)
    labels = np.array([each[1] for each in found], np.int64)
    boxes = np.array([each[2] for each in found], np.float32).reshape(-1, 4)
    return Detections.from_arrays(scores, labels, boxes, NAMES, 400, 300)


def by_chance(random: np.random.Generator) -> Compared:
    """Truth, and much of it found again: moved, missed, found twice, of another class, at equal scores."""
    count = int(random.integers(0, 12))
    start = random.uniform(0, (250, 180), (count, 2))
    boxes = np.hstack([start, start + random.uniform(8, 110, (count, 2))])
    labels = random.integers(0, 3, count)
    truth = detections(*((0.9, int(label), tuple(box)) for label, box in zip(labels, boxes, strict=True)))
    found = []
    for label, box in [*zip(labels, boxes, strict=True)] * 2:
        if random.random() < 0.7:
            moved = box + random.normal(0, random.choice([0.3, 3, 20]), 4)
            moved[2:] = np.maximum(moved[2:], moved[:2] + 1)
            called = int(label) if random.random() < 0.85 else int(random.integers(0, 4))
            found.append((float(np.round(random.random(), 1)), called, tuple(moved)))
    return Compared(detections(*found), truth)


def by_pycocotools(images: list[Compared]) -> float:
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": at} for at in range(len(images))],
        "categories": [{"id": label_id, "name": name} for label_id, name in NAMES.items()],
        "annotations": [],
    }
    rows = []
    for at, image in enumerate(images):
        for which, into in ((image.truth, truth.dataset["annotations"]), (image.found, rows)):
            for score, label_id, box in zip(which.scores, which.label_ids, which.boxes, strict=True):
                xmin, ymin, xmax, ymax = map(float, box)
                box_of = [xmin, ymin, xmax - xmin, ymax - ymin]
                told = {"image_id": at, "category_id": int(label_id), "bbox": box_of, "score": float(score)}
                into.append({**told, "id": len(into) + 1, "area": box_of[2] * box_of[3], "iscrowd": 0})
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_coco_counts(seed: int) -> None:
    random = np.random.default_rng(seed)
    images = [by_chance(random) for _ in range(25)]
    ours = average_precision(images)
    assert ours == pytest.approx(by_pycocotools(images), abs=1e-9)
    assert ours is not None
    assert 0.05 < ours < 0.95


def test_more_than_a_hundred_of_a_class_are_cut_as_coco_cuts_them() -> None:
    random = np.random.default_rng(1)
    start = random.uniform(0, (300, 200), (150, 2))
    boxes = np.hstack([start, start + random.uniform(5, 60, (150, 2))])
    all_of_them = detections(*((1 - at / 300, 0, tuple(box)) for at, box in enumerate(boxes)))
    images = [Compared(all_of_them, all_of_them)]
    assert average_precision(images) == pytest.approx(by_pycocotools(images), abs=1e-9)
    assert average_precision(images) == pytest.approx(0.66, abs=0.01)


def test_the_same_is_1_nothing_found_is_0_and_without_truth_there_is_none() -> None:
    some = detections((0.9, 0, (10, 10, 60, 60)), (0.6, 2, (100, 20, 180, 90)))
    assert average_precision([Compared(some, some)]) == pytest.approx(1.0)
    assert average_precision([Compared(detections(), some)]) == 0.0
    assert average_precision([Compared(some, detections())]) is None


def test_what_is_kept_lost_and_new_at_a_threshold() -> None:
    truth = detections((0.9, 0, (0, 0, 50, 50)), (0.8, 1, (100, 100, 150, 150)), (0.7, 2, (200, 50, 260, 90)))
    found = detections(
        (0.8, 0, (2, 0, 52, 50)),  # kept
        (0.7, 0, (0, 0, 50, 50)),  # found twice: new
        (0.9, 2, (100, 100, 150, 150)),  # of another class: new, and the dog is lost
        (0.5, 2, (200, 50, 260, 90)),  # not above the threshold: lost
    )
    assert changes([Compared(found, truth), Compared(truth, truth)], 0.5) == Changes(kept=4, lost=2, new=2)


def test_overlaps() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 5, 5, 5]], float)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [5, 5, 5, 5]], float)
    np.testing.assert_allclose(overlaps(boxes, others), [[1, 1 / 3, 0, 0], [0, 0, 0, 0]])
