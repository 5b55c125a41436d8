"""Content of the files of each format."""

from __future__ import annotations

import base64
import csv
import importlib
import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image

from engine.answer import detection_answer
from engine.detect.detection import Box, Detections
from engine.export import formats
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, FilePerImage
from engine.export.formats import (
    ANNOTATED_PNG,
    API_JSON,
    COCO_DATASET,
    COCO_RESULTS,
    CROPS,
    CSV,
    EXPORT_FORMATS,
    LABELME,
    PASCAL_VOC,
    YOLO,
    YOLO_SCORES,
)
from engine.export.item import Choice, ExportItem
from engine.image.source import Source
from engine.render.render import draw_detections
from tests.engine.export.session import CLASSES, Session, item_of, target_in

PHOTO = Source("path", "图.jpg", "/data/街道/图.jpg")
ADDRESS = Source("url", "图.jpg", "https://example.com/图.jpg")


def one_box(box: Box = (1, 2, 30, 40), label: str = "二维码", score: float = 0.9, source: Source = PHOTO) -> ExportItem:
    """An image with one undecided detection."""
    names = {0: label}
    found = Detections.from_arrays(
        np.array([score], np.float32), np.array([0]), np.array([box], np.float32), names, 200, 120
    )
    return replace(item_of(source), shown=found, statuses=("undecided",))


def text_of(known: ExportFormat, item: ExportItem) -> str:
    classes = ExportClasses.of(item.shown.names)
    return known.writer.encode(item.ready(classes), classes).decode()


def json_of(known: ExportFormat, item: ExportItem) -> Any:
    return json.loads(text_of(known, item))


def test_keys_and_names_are_unique() -> None:
    count = len(EXPORT_FORMATS)
    assert len({known.key for known in EXPORT_FORMATS}) == len({known.name for known in EXPORT_FORMATS}) == count


def test_every_format_of_every_module_is_registered() -> None:
    for path in Path(formats.__file__).parent.glob("[!_]*.py"):
        module = importlib.import_module(f"engine.export.formats.{path.stem}")
        made = [value for value in vars(module).values() if isinstance(value, ExportFormat)]
        assert made, path
        assert all(known in EXPORT_FORMATS for known in made), path


@pytest.mark.parametrize("known", EXPORT_FORMATS, ids=lambda known: known.key)
def test_all_formats_but_plain_yolo_keep_the_score(known: ExportFormat, session: Session, tmp_path: Path) -> None:
    target = target_in(tmp_path / "出", known)
    session.export(known, target, Choice.SHOWN)
    if known.key.startswith("annotated"):
        return  # drawn into the pixels
    written = [path for path in (tmp_path / "出").rglob("*") if path.is_file()]
    told = "".join(path.name if known is CROPS else path.read_text("utf-8") for path in written)
    assert ("0.9" in told) is (known is not YOLO)


def test_annotated_is_the_servers_drawing(session: Session, tmp_path: Path) -> None:
    session.export(ANNOTATED_PNG, tmp_path, Choice.SHOWN)
    item = next(session.items(Choice.SHOWN))
    with Image.open(tmp_path / "仓库/图一_detections.png") as written:
        assert written.tobytes() == draw_detections(item.pixels(), item.shown).tobytes()
        assert not written.getexif()


def test_api_json_is_the_servers_answer_whatever_was_decided() -> None:
    item = item_of(PHOTO, Choice.REVIEWED)
    assert json_of(API_JSON, item) == detection_answer(item.found, item.chosen)


def test_coco_annotations_have_every_key() -> None:
    read = json_of(COCO_DATASET, one_box((10.25, 5, 60, 70.5)))
    assert read["annotations"] == [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 0,
            "bbox": [10.25, 5, 49.75, 65.5],
            "area": 3258.625,
            "iscrowd": 0,
            "segmentation": [],
            "score": 0.9,
        }
    ]
    assert read["images"] == [{"id": 1, "file_name": "图.jpg", "width": 200, "height": 120}]
    assert read["categories"] == [{"id": 0, "name": "二维码", "supercategory": ""}]
    assert {"info", "licenses"} <= read.keys()


def test_coco_says_where_an_image_of_an_address_is() -> None:
    (image,) = json_of(COCO_DATASET, one_box(source=ADDRESS))["images"]
    assert (image["file_name"], image["coco_url"]) == ("图.jpg", "https://example.com/图.jpg")


def test_added_boxes_have_score_one_in_results() -> None:
    results = json.loads(COCO_RESULTS.writer.encode(item_of(PHOTO, Choice.REVIEWED).ready(CLASSES), CLASSES))
    assert results[0] == {"image_id": 1, "category_id": 6, "bbox": [3, 4, 47, 56], "score": 1.0}


def test_yolo_lines() -> None:
    assert text_of(YOLO, one_box((0, 0, 200, 120))) == "0 0.500000 0.500000 1.000000 1.000000\n"
    assert text_of(YOLO_SCORES, one_box((0, 0, 100, 60))) == "0 0.250000 0.250000 0.500000 0.500000 0.900000\n"


def test_yolo_names_survive_whatever_they_hold() -> None:
    names = {0: 'a"b\\c', 1: "two\nlines", 2: "猫: #1", 3: "", 4: "yes", 9: "\x85\u2028\ud800", 10: "😀"}
    assert isinstance(YOLO.writer, FilePerImage)
    shared = YOLO.writer.shared_files(ExportClasses.of(names))
    read = yaml.safe_load(shared["data.yaml"].replace(b"\\U0000d800", b"?"))
    assert list(read["names"].values()) == ['a"b\\c', "two lines", "猫: #1", "3", "yes", "?", "😀"]
    assert read["nc"] == len(shared["classes.txt"].decode().splitlines()) == 7


def test_voc_counts_pixels_from_one() -> None:
    def box(given: Box) -> list[str | None]:
        root = ElementTree.fromstring(text_of(PASCAL_VOC, one_box(given)))
        return [root.findtext(f"object/bndbox/{tag}") for tag in ("xmin", "ymin", "xmax", "ymax")]

    assert box((0, 0, 200, 120)) == ["1", "1", "200", "120"]
    assert box((10, 20, 11, 21)) == ["11", "21", "11", "21"]
    assert box((199.6, 119.6, 200, 120)) == ["200", "120", "200", "120"]
    assert box((0, 0, 0.3, 0.3)) == ["1", "1", "1", "1"]


def test_voc_has_every_element() -> None:
    root = ElementTree.fromstring(text_of(PASCAL_VOC, one_box()))
    assert [child.tag for child in root] == ["folder", "filename", "path", "source", "size", "segmented", "object"]
    assert [root.findtext(tag) for tag in ("folder", "filename", "path")] == ["街道", "图.jpg", "/data/街道/图.jpg"]
    assert [child.tag for child in next(root.iter("object"))] == [
        "name",
        "pose",
        "truncated",
        "difficult",
        "confidence",
        "bndbox",
    ]
    assert root.findtext("object/confidence") == "0.9"


def test_voc_is_xml_whatever_the_label_holds() -> None:
    root = ElementTree.fromstring(text_of(PASCAL_VOC, one_box(label="a\0\x1b<&>]]>\ud800猫\ufffe")))
    assert root.findtext("object/name") == "a\ufffd\ufffd<&>]]>\ufffd猫\ufffd"


def test_labelme_leads_to_the_image(session: Session, tmp_path: Path) -> None:
    session.export(LABELME, tmp_path / "标注")
    for path in (tmp_path / "标注").rglob("*.json"):
        read = json.loads(path.read_text("utf-8"))
        with Image.open(path.parent / read["imagePath"]):
            assert (read["imageWidth"], read["imageHeight"]) == (200, 120)
        assert read["imageData"] is None
        assert [len(shape["points"]) for shape in read["shapes"]] == [2, 2]
        assert read["shapes"][1]["points"] == [[10.25, 5.0], [60.0, 70.5]]


def test_labelme_holds_an_image_that_has_no_file() -> None:
    item = replace(one_box(source=ADDRESS), pixels=lambda: Image.new("RGB", (200, 120), "red"))
    read = json_of(LABELME, item)
    with Image.open(io.BytesIO(base64.b64decode(read["imageData"]))) as held:
        assert held.size == (200, 120)


def test_csv_opens_in_excel_and_python(session: Session, tmp_path: Path) -> None:
    session.export(CSV, tmp_path / "表.csv", Choice.SHOWN)
    data = (tmp_path / "表.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfimage,label,score,xmin,ymin,xmax,ymax,status\r\n")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert len(rows) == 9
    assert [row["status"] for row in rows[:3]] == ["added", "accepted", "undecided"]
    assert rows[1]["image"] == "仓库/图一.jpg"
    assert [float(rows[1][edge]) for edge in ("xmin", "ymin", "xmax", "ymax")] == [10.25, 5, 60, 70.5]


@pytest.mark.parametrize("label", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_csv_runs_no_formula(label: str) -> None:
    rows = list(csv.reader(text_of(CSV, one_box(label=label)).removeprefix("\ufeff").splitlines()))
    assert rows[1][1] == f"'{label}"


def test_csv_keeps_commas_quotes_and_line_breaks() -> None:
    text = text_of(CSV, one_box(label='a,"b"\n猫'))
    assert next(iter(csv.reader([*text.splitlines(keepends=True)][1:])))[1] == 'a,"b"\n猫'


def test_crops_are_the_regions(session: Session, tmp_path: Path) -> None:
    session.export(CROPS, tmp_path, Choice.SHOWN)
    names = sorted(path.name for path in (tmp_path / "街道").glob("图二*"))
    assert names == ["图二_001_猫_1.000.png", "图二_002_二维码_0.900.png", "图二_003_箱子 _&__0.800.png"]
    item = [*session.items()][2]
    with Image.open(tmp_path / "街道" / names[1]) as crop:
        assert crop.tobytes() == item.pixels().crop((10, 5, 60, 71)).tobytes()


def test_a_crop_is_one_pixel_at_least_and_its_name_fits() -> None:
    assert isinstance(CROPS.writer, FilePerImage)
    item = one_box((10.2, 10.2, 10.4, 10.4), label="长/" * 300)
    item = replace(item, pixels=lambda: Image.new("RGB", (200, 120)))
    ((path, data),) = CROPS.writer.files(item, Path("/出/" + "图" * 66), CLASSES)
    assert data[:4] == b"\x89PNG"
    assert len(path.name.encode()) < 255
    assert path.parent == Path("/出")


def test_names_that_are_no_text_do_not_stop_an_export() -> None:
    name = os.fsdecode(b"\xff.jpg")
    for known in (COCO_DATASET, LABELME, PASCAL_VOC, CSV):
        text_of(known, one_box(source=Source("path", "?.jpg", f"/data/{name}")))
    (image,) = json_of(COCO_DATASET, one_box(source=Source("path", "?.jpg", f"/data/{name}")))["images"]
    assert image["file_name"] == name
