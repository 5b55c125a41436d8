"""Two real ONNX detectors on real images, beside the plain way with onnxruntime."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from engine.detect.detection import Detections
from engine.engine import Engine
from engine.models.onnx.class_names import shared_list

AP_TOLERANCE = 0.005
COUNT = 38
ATTO, FEMTO = "deimv2_hgnetv2_atto_coco", "deimv2_hgnetv2_femto_coco"
PUBLISHED = {ATTO: 0.238, FEMTO: 0.310}
ON_THE_CATS = {
    ATTO: [("bed", 0.71), ("cat", 0.68), ("cat", 0.60), ("remote", 0.49)],
    FEMTO: [("cat", 0.79), ("cat", 0.75), ("bed", 0.63), ("remote", 0.57), ("couch", 0.47)],
}


class Found(NamedTuple):
    """Boxes are xyxy, pixels."""

    scores: npt.NDArray[Any]
    label_ids: npt.NDArray[Any]
    boxes: npt.NDArray[Any]


@pytest.fixture(scope="module")
def engine(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Knows both models by their files' names, with COCO's classes given as a user gives them."""
    engine, folder = Engine(), tmp_path_factory.mktemp("models")
    for name in (ATTO, FEMTO):
        path = Path(shutil.copyfile(shared / "models" / f"{name}.onnx", folder / f"{name}.onnx"))
        engine.name_classes(shared_list("coco-80"), str(path))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def truth(shared: Path) -> dict[str, Any]:
    """Both COCO files in one; the place of each image is its `file_name`."""
    places = {path.name: path for path in (shared / "photos" / "images").rglob("*.jpg")}
    parts = [json.loads(path.read_text()) for path in sorted((shared / "photos" / "annotations").glob("*.json"))]
    images = [{**each, "file_name": str(places[each["file_name"]])} for part in parts for each in part["images"]]
    boxes = [each for part in parts for each in part["annotations"]]
    numbered = [{**each, "id": at} for at, each in enumerate(boxes, 1)]
    return {"images": images, "annotations": numbered, "categories": parts[0]["categories"]}


def the_plain_way(model: Path, images: Iterable[Image.Image]) -> list[Found]:
    """As a user of these files writes it: Pillow's own resize, RGB / 255, `session.run`."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    side = session.get_inputs()[0].shape[-1]
    founds = []
    for image in images:
        tensor = (np.asarray(image.resize((side, side))) / np.float32(255)).transpose(2, 0, 1)[None]
        given = {"images": np.ascontiguousarray(tensor), "orig_target_sizes": np.array([image.size])}
        labels, boxes, scores = session.run(["labels", "boxes", "scores"], given)
        founds.append(Found(scores[0], labels[0], boxes[0]))
    return founds


def average_precision(truth: dict[str, Any], founds: Iterable[Found | Detections]) -> float:
    """COCO's AP, 0..1."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    categories = sorted(each["id"] for each in truth["categories"])
    rows = [
        [image["id"], xmin, ymin, xmax - xmin, ymax - ymin, score, categories[label_id]]
        for image, found in zip(truth["images"], founds, strict=True)
        for score, label_id, (xmin, ymin, xmax, ymax) in zip(found.scores, found.label_ids, found.boxes, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = truth
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(np.array(rows, float)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


@pytest.mark.parametrize("model", [ATTO, FEMTO])
def test_two_cats_are_found(engine: Engine, shared: Path, model: str) -> None:
    cats = shared / "photos" / "cats_remotes.png"
    found = engine.detect(cats, model).above(0.4)
    for (label, score), each in zip(ON_THE_CATS[model], found, strict=False):
        assert each.label == label
        assert each.score == pytest.approx(score, abs=0.006)
    assert len(ON_THE_CATS[model]) <= len(found) <= len(ON_THE_CATS[model]) + 1  # Atto sees a cat .43 twice
    (plain,) = the_plain_way(shared / "models" / f"{model}.onnx", [Image.open(cats).convert("RGB")])
    best = np.argsort(-plain.scores)[: len(found)]
    np.testing.assert_allclose(found.scores, plain.scores[best], atol=1e-3)
    np.testing.assert_allclose(found.boxes, plain.boxes[best].clip(0, (640, 480, 640, 480)), atol=0.5)


def test_the_classes_are_counted_where_they_have_no_names(shared: Path) -> None:
    recipe = Engine().recipe(str(shared / "models" / f"{FEMTO}.onnx"))
    assert (len(recipe.names), recipe.names[79]) == (80, "class 79")


@pytest.mark.parametrize("model", [ATTO, FEMTO])
def test_the_average_precision_is_that_of_the_plain_way(
    engine: Engine, truth: dict[str, Any], shared: Path, model: str
) -> None:
    paths = [each["file_name"] for each in truth["images"]]
    assert len(paths) == COUNT
    ours = [engine.detect(path, model) for path in paths]
    images = (Image.open(path).convert("RGB") for path in paths)
    plain = the_plain_way(shared / "models" / f"{model}.onnx", images)
    our_ap, plain_ap = average_precision(truth, ours), average_precision(truth, plain)
    # Of two images the pixels are others: they carry a colour profile, which the plain way leaves aside.
    print(f"{model}: AP {our_ap:.4f}, the plain way {plain_ap:.4f}")
    assert our_ap == pytest.approx(plain_ap, abs=AP_TOLERANCE)
    assert our_ap == pytest.approx(PUBLISHED[model], abs=0.05)
