"""Exports are read back by pycocotools and globox, with every box and Chinese labels and paths."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from globox import Annotation, AnnotationSet, BoundingBox
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from engine.export.formats import COCO_DATASET, COCO_RESULTS, LABELME, PASCAL_VOC, YOLO, YOLO_SCORES
from engine.export.item import Choice
from tests.engine.export.session import ADDED, BOXES, Session

LABELS = ["猫", "二维码"]
"""What is left of each image: the added box, then the accepted one."""
KEPT = [ADDED, BOXES[0]]


def test_pycocotools_loads_dataset_and_results(session: Session, tmp_path: Path) -> None:
    """Issue 4, round trips: the boxes against themselves have an average precision of 1."""
    dataset, results = tmp_path / "数据集.json", tmp_path / "结果.json"
    session.export(COCO_DATASET, dataset)
    session.export(COCO_RESULTS, results)
    truth = COCO(str(dataset))
    found = truth.loadRes(str(results))
    assert sorted(truth.getImgIds()) == sorted(found.getImgIds()) == [1, 2, 3]
    assert truth.getCatIds() == [0, 1, 3, 5, 6]
    assert [category["name"] for category in truth.loadCats([1, 6])] == ["二维码", "猫"]
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_coco_names_lead_to_the_images(session: Session, tmp_path: Path) -> None:
    session.export(COCO_DATASET, tmp_path / "a.json")
    read = COCO(str(tmp_path / "a.json"))
    for image in read.loadImgs(read.getImgIds()):
        assert (session.folder / image["file_name"]).is_file()
        assert (image["width"], image["height"]) == (200, 120)


def test_globox_reads_coco(session: Session, tmp_path: Path) -> None:
    session.export(COCO_DATASET, tmp_path / "a.json")
    read = AnnotationSet.from_coco(tmp_path / "a.json")
    assert set(read.image_ids) == {"仓库/图一.jpg", "街道/图一.jpg", "街道/图二.png"}
    for annotation in read:
        check(annotation, 1e-3)


def test_globox_reads_yolo_with_scores(session: Session, tmp_path: Path) -> None:
    session.export(YOLO_SCORES, tmp_path / "标签")
    names = yaml.safe_load((tmp_path / "标签/data.yaml").read_text("utf-8"))["names"]
    read = Annotation.from_yolo_v5(tmp_path / "标签/街道/图一.txt", image_size=(200, 120))
    check(read.map_labels({str(place): name for place, name in names.items()}), 1e-3)
    assert [box.confidence for box in read.boxes] == [1.0, pytest.approx(0.9)]


def test_globox_reads_plain_yolo(session: Session, tmp_path: Path) -> None:
    session.export(YOLO, tmp_path / "标签")
    names = (tmp_path / "标签/classes.txt").read_text("utf-8").splitlines()
    read = Annotation.from_yolo_darknet(tmp_path / "标签/街道/图二.txt", image_size=(200, 120))
    check(read.map_labels({str(place): name for place, name in enumerate(names)}), 1e-3)
    assert read.boxes[0].confidence is None


def test_globox_reads_pascal_voc(session: Session, tmp_path: Path) -> None:
    session.export(PASCAL_VOC, tmp_path / "标注")
    read = Annotation.from_pascal_voc(tmp_path / "标注/街道/图二.xml")
    assert read.image_id == "图二.png"
    assert read.image_size == (200, 120)
    check(read, 1.0)


def test_globox_reads_labelme_beside_the_images(session: Session) -> None:
    session.export(LABELME, session.folder)
    read = AnnotationSet.from_labelme(session.folder / "街道")
    assert set(read.image_ids) == {"图一.jpg", "图二.png"}
    for annotation in read:
        check(annotation, 1e-3)


def test_a_model_against_the_decisions(session: Session, tmp_path: Path) -> None:
    """The dataset of what was decided and the results of what is shown agree on images and classes too."""
    session.export(COCO_DATASET, tmp_path / "truth.json")
    session.export(COCO_RESULTS, tmp_path / "found.json", Choice.SHOWN)
    found = COCO(str(tmp_path / "truth.json")).loadRes(json.loads((tmp_path / "found.json").read_text("utf-8")))
    assert len(found.getAnnIds()) == 9
    assert len(found.getAnnIds(catIds=[3])) == 3


def check(annotation: Annotation, tolerance: float) -> None:
    assert [box.label for box in annotation.boxes] == LABELS
    assert np.allclose([corners(box) for box in annotation.boxes], KEPT, atol=tolerance)


def corners(box: BoundingBox) -> tuple[float, float, float, float]:
    return box.xmin, box.ymin, box.xmax, box.ymax
