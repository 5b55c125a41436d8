"""What the inputs and outputs of an ONNX file mean, and files of other models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.detect.detection import Detections
from engine.errors import DetectionError, ModelError
from engine.models.onnx.conventions import Finished, Raw
from engine.models.onnx.model import OnnxModel, read_onnx
from engine.models.reading import read_model
from tests.onnx_files import field, model, node, value, write_finished, write_raw

ABC = {"names": "a,b,c"}
IMAGE = Image.new("RGB", (200, 100), (51, 102, 204))
BOXES = ("images", "orig_target_sizes", "labels", "boxes", "scores")


def beside(folder: Path, name: str, **content: Any) -> None:
    (folder / name).write_text(json.dumps(content))


def finished_answer(read: OnnxModel, scores: Any, label_ids: Any, boxes: Any) -> Detections:
    convention = read.convention
    assert isinstance(convention, Finished)
    output = {convention.scores: scores, convention.labels: label_ids, convention.boxes: boxes}
    return read.detections({name: np.asarray([array]) for name, array in output.items()}, 200, 100)


def test_an_image_goes_in_square_with_its_width_and_height(tmp_path: Path) -> None:
    tensors = read_onnx(write_finished(tmp_path / "m.onnx")).tensors(IMAGE)
    assert tensors["images"].shape == (1, 3, 32, 48)
    np.testing.assert_allclose(tensors["images"][0, :, 5, 5], (0.2, 0.4, 0.8), atol=1e-4)
    assert tensors["orig_target_sizes"].tolist() == [[200, 100]]
    assert tensors["orig_target_sizes"].dtype == np.int64


@pytest.mark.parametrize(("kind", "red"), [("float32", 0.2), ("float16", 0.2), ("uint8", 51)])
def test_the_tensor_is_of_the_type_that_the_file_takes(tmp_path: Path, kind: str, red: float) -> None:
    for path in (write_finished(tmp_path / "a.onnx", image_type=kind),):
        pixels = read_onnx(path).tensors(IMAGE)["images"]
        assert pixels.dtype == kind
        assert pixels[0, 0, 5, 5] == pytest.approx(red, abs=1e-3)


def test_sides_that_may_vary_are_640_pixels_unless_a_file_beside_says_otherwise(tmp_path: Path) -> None:
    path = write_finished(tmp_path / "m.onnx", image=("N", 3, "H", "W"))
    assert read_onnx(path).tensors(IMAGE)["images"].shape == (1, 3, 640, 640)
    settings = {
        "size": {"height": 64, "width": 96},
        "do_normalize": True,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    beside(tmp_path, "preprocessor_config.json", **settings)
    pixels = read_onnx(path).tensors(IMAGE)["images"]
    assert pixels.shape == (1, 3, 64, 96)
    np.testing.assert_allclose(pixels[0, :, 5, 5], (-0.6, -0.2, 0.6), atol=1e-4)


def test_sides_that_the_file_fixes_hold_against_the_settings_beside_it(tmp_path: Path) -> None:
    beside(tmp_path, "preprocessor_config.json", size={"shortest_edge": 800}, pad_size={"height": 900, "width": 900})
    path = write_raw(tmp_path / "m.onnx", metadata=ABC, image=(1, 3, 40, 60), mask=(1, 40, 60))
    tensors = read_onnx(path).tensors(IMAGE)
    assert tensors["pixel_values"].shape == (1, 3, 40, 60)
    assert tensors["pixel_mask"].shape == (1, 40, 60)


def test_a_deimv2_with_dinov3_takes_normalised_images(tmp_path: Path) -> None:
    path = write_finished(tmp_path / "m.onnx")
    step = node("Identity", ["model.backbone.dinov3.norm.weight"], "unused")
    path.write_bytes(path.read_bytes() + field(7, field(1, step)))
    pixels = read_onnx(path).tensors(IMAGE)["images"]
    np.testing.assert_allclose(pixels[0, :, 5, 5], normalised(51, 102, 204), atol=1e-4)


def normalised(*colour: int) -> Any:
    return (np.array(colour) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)


def test_settings_beside_the_file_that_make_no_sense_are_named(tmp_path: Path) -> None:
    beside(tmp_path, "preprocessor_config.json", size={"longest": 1})
    with pytest.raises(ModelError, match=r"preprocessor_config\.json beside it makes no sense"):
        read_onnx(write_finished(tmp_path / "m.onnx", image=("N", 3, "H", "W")))


@pytest.mark.parametrize("shapes", [True, False])
def test_outputs_are_found_by_name_in_any_order(tmp_path: Path, shapes: bool) -> None:
    convention = read_onnx(write_finished(tmp_path / "m.onnx", shapes=shapes)).convention
    assert isinstance(convention, Finished)
    assert (convention.labels, convention.boxes, convention.scores) == ("labels", "boxes", "scores")


def test_inputs_and_outputs_with_other_names_are_found_by_shape(tmp_path: Path) -> None:
    path = write_finished(tmp_path / "m.onnx", names=("input", "size", "1001", "1002", "1003"))
    read = read_onnx(path)
    assert isinstance(read.convention, Finished)
    assert (read.convention.labels, read.convention.boxes, read.convention.scores) == ("1001", "1002", "1003")
    assert read.tensors(IMAGE)["size"].tolist() == [[200, 100]]
    with pytest.raises(ModelError, match="understood are"):
        read_onnx(write_finished(tmp_path / "n.onnx", names=("input", "size", "1001", "1002", "1003"), shapes=False))


def test_finished_labels_become_detections(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog")
    read = read_onnx(write_finished(tmp_path / "m.onnx"))
    boxes = [[0, 0, 10, 10], [-5, 1, 300, 2], [1, 1, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1]]
    found = finished_answer(read, np.array([0.2, 0.9, 0.5, 0, np.nan], np.float16), [1, 81, 0, 0, 0], boxes)
    assert [(each.label, each.label_id) for each in found] == [("class 81", 81), ("cat", 0), ("dog", 1)]
    assert found[0].box == (0, 1, 200, 2)
    assert found.scores.dtype == np.float32
    assert found.names == {0: "cat", 1: "dog", 81: "class 81"}


@pytest.mark.parametrize(
    ("scores", "label_ids", "boxes"),
    [
        ([0.5], [1, 2], [[0, 0, 1, 1]]),
        ([0.5], [1], [[0, 0, 1]]),
        ([[0.5]], [[1]], [[0, 0, 1, 1]]),
        (0.5, 1, [0, 0, 1, 1]),
    ],
)
def test_an_answer_of_other_shapes_than_declared_is_told(
    tmp_path: Path, scores: Any, label_ids: Any, boxes: Any
) -> None:
    with pytest.raises(DetectionError, match="no detections can be made of its answer"):
        finished_answer(read_onnx(write_finished(tmp_path / "m.onnx")), scores, label_ids, boxes)
    raw = read_onnx(write_raw(tmp_path / "raw.onnx", metadata=ABC))
    with pytest.raises(DetectionError, match="no detections can be made of its answer"):
        raw.detections({"logits": np.zeros((1, 3)), "pred_boxes": np.zeros((1, 3, 4))}, 200, 100)


@pytest.mark.parametrize(("logits", "scores"), [(3, "sigmoid"), (4, "softmax")])
def test_a_logit_more_than_classes_means_no_object(tmp_path: Path, logits: int, scores: str) -> None:
    read = read_onnx(write_raw(tmp_path / "m.onnx", logits, ABC))
    assert isinstance(read.convention, Raw)
    assert read.convention.family.scores == scores
    assert list(read.names.values()) == ["a", "b", "c"]


def test_names_with_gaps_count_by_the_last_label_id_or_by_their_number(tmp_path: Path) -> None:
    for names, logits, scores in (("{1: 'a', 5: 'b'}", 7, "softmax"), ("{1: 'a', 5: 'b'}", 3, "softmax")):
        convention = read_onnx(write_raw(tmp_path / f"{logits}.onnx", logits, {"names": names})).convention
        assert isinstance(convention, Raw)
        assert convention.family.scores == scores


@pytest.mark.parametrize(("family", "scores"), [("detr", "softmax"), ("d_fine", "sigmoid")])
def test_the_config_beside_the_file_tells_the_family(tmp_path: Path, family: str, scores: str) -> None:
    beside(tmp_path, "config.json", model_type=family)
    read = read_onnx(write_raw(tmp_path / "m.onnx"))
    assert isinstance(read.convention, Raw)
    assert (read.family_name, read.convention.family.scores) == (family, scores)
    assert read.names_unknown
    assert len(read.names) == 4 - (scores == "softmax")
    assert read.preprocessing.size == ({"shortest_edge": 800, "longest_edge": 1333} if family == "detr" else SQUARE)


SQUARE = {"height": 640, "width": 640}


@pytest.mark.parametrize("metadata", [None, {"names": "a"}, {"names": "a,b,c,d,e"}])
def test_what_scores_are_made_of_is_never_guessed(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    beside(tmp_path, "config.json", model_type="something new")
    with pytest.raises(ModelError, match=r"does not say how its scores are made: put its config\.json beside it"):
        read_onnx(write_raw(tmp_path / "m.onnx", 4, metadata))


def test_without_settings_a_fixed_side_is_taken_as_its_family_does(tmp_path: Path) -> None:
    """DETR's kind is normalised; RT-DETR's, whose sides are fixed, is not."""
    for logits, red in ((4, (0.2 - 0.485) / 0.229), (3, 0.2)):
        read = read_onnx(write_raw(tmp_path / f"{logits}.onnx", logits, ABC, image=(1, 3, 40, 60)))
        assert read.tensors(IMAGE)["pixel_values"][0, 0, 5, 5] == pytest.approx(red, abs=1e-4)


@pytest.mark.parametrize(("shape", "sides"), [((1, 64, 64), (64, 64)), (("N", "h", "w"), (666, 1333))])
def test_a_mask_has_the_sides_that_the_file_asks_for(tmp_path: Path, shape: Any, sides: tuple[int, int]) -> None:
    mask = read_onnx(write_raw(tmp_path / "m.onnx", metadata=ABC, mask=shape)).tensors(IMAGE)["pixel_mask"]
    assert mask.shape == (1, *sides)
    assert mask.all()
    assert mask.dtype == np.int64


def test_padding_is_told_in_the_sides_of_the_mask(tmp_path: Path) -> None:
    settings = {"size": {"max_height": 80, "max_width": 80}, "pad_size": {"height": 80, "width": 80}}
    beside(tmp_path, "preprocessor_config.json", **settings)
    mask = read_onnx(write_raw(tmp_path / "m.onnx", metadata=ABC, mask=(1, 8, 8))).tensors(IMAGE)["pixel_mask"]
    assert mask[0, :, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


FLOAT = "float32"
OTHERS = {
    "YOLO": ([value("images", FLOAT, (1, 3, 640, 640))], [value("output0", FLOAT, (1, 84, 8400))]),
    "YOLO with boxes": (
        [value("images", FLOAT, (1, 3, 640, 640))],
        [value("scores", FLOAT, (1, 8400, 80)), value("boxes", FLOAT, (1, 8400, 4))],
    ),
    "classifier": ([value("input", FLOAT, ("N", 3, 224, 224))], [value("logits", FLOAT, ("N", 1000))]),
    "text": ([value("input_ids", "int64", ("N", "S"))], [value("logits", FLOAT, ("N", "S", 30522))]),
    "text and image": (
        [value("pixel_values", FLOAT, (1, 3, 8, 8)), value("input_ids", "int64", ("N", "S"))],
        [value("logits", FLOAT, (1, 9, 9)), value("pred_boxes", FLOAT, (1, 9, 4))],
    ),
    "four at once": (
        [value("images", FLOAT, (4, 3, 8, 8)), value("orig_target_sizes", "int64", (4, 2))],
        [value("labels", "int64", (4, 9)), value("boxes", FLOAT, (4, 9, 4)), value("scores", FLOAT, (4, 9))],
    ),
    "channels last": (
        [value("images", FLOAT, (1, 64, 64, 3)), value("orig_target_sizes", "int64", (1, 2))],
        [value("labels", "int64", (1, 9)), value("boxes", FLOAT, (1, 9, 4)), value("scores", FLOAT, (1, 9))],
    ),
    "nothing": ([], []),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_another_model_is_refused_in_a_sentence_that_says_what_it_is(tmp_path: Path, kind: str) -> None:
    inputs, outputs = OTHERS[kind]
    path = tmp_path / "other.onnx"
    path.write_bytes(model([], [], inputs, outputs))
    with pytest.raises(ModelError) as caught:
        read_onnx(path)
    assert caught.value.code == "onnx_not_understood"
    assert "understood are one image of 3 channels with orig_target_sizes" in caught.value.message
    if kind == "YOLO":
        assert "takes images [1 x 3 x 640 x 640] and returns output0 [1 x 84 x 8400]" in caught.value.message


def test_what_a_message_tells_of_a_file_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "many.onnx"
    path.write_bytes(model([], [], [value(f"input {at}", FLOAT, (1, 3)) for at in range(1000)], []))
    with pytest.raises(ModelError) as caught:
        read_onnx(path)
    assert len(caught.value.message) < 1000


def test_a_model_is_read_by_what_it_is(tmp_path: Path, tiny_detr: Path) -> None:
    path = write_finished(tmp_path / "M.ONNX")
    assert read_model(path) == read_onnx(path)
    assert read_model(tiny_detr).family_name == "detr"
    with pytest.raises(ModelError, match=r"no model file gone\.onnx"):
        read_model(tmp_path / "gone.onnx")
