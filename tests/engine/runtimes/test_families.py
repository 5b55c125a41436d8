"""Every family of the DETR kind equals the plain transformers way, from tiny checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.detect.families import FAMILIES, WRONG_IN_TRANSFORMERS
from engine.detect.postprocess import detections_from_raw
from engine.errors import ModelError
from engine.models.checkpoint.checkpoint import read_checkpoint
from engine.runtimes.detector import Detector
from engine.runtimes.plain import PlainDetector
from tests.checkpoints import CONFIGS, make_checkpoint
from tests.engine.runtimes.test_parity import assert_equal, look, noise, our_detector

REFINED = {"with_box_refine": True}
TWO_STAGE = {**REFINED, "two_stage": True, "two_stage_num_proposals": 12}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {family: (family, {}) for family in CONFIGS} | {
    "deformable_detr refined": ("deformable_detr", REFINED),
    "deformable_detr two-stage": ("deformable_detr", TWO_STAGE),
    "dab-detr patterns": ("dab-detr", {"num_patterns": 2, "keep_query_pos": True}),
    "detr learnt positions": ("detr", {"position_embedding_type": "learned"}),
}

THIN = [(1, 1), (3, 1000), (1000, 3), (20000, 1), (1, 20000)]


@pytest.fixture(scope="module", params=VARIANTS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    family, more = VARIANTS[request.param]
    return make_checkpoint(tmp_path_factory.mktemp("families") / "model", family, more=more)


@pytest.fixture(scope="module")
def ours(folder: Path) -> Detector:
    return our_detector(folder)


def test_there_is_a_checkpoint_of_every_family() -> None:
    assert CONFIGS.keys() == FAMILIES.keys()
    assert not FAMILIES.keys() & WRONG_IN_TRANSFORMERS


def test_it_equals_the_plain_way(folder: Path, ours: Detector) -> None:
    plain = PlainDetector(folder)
    for width, height in [(97, 61), (300, 500)]:
        image = noise(width, height)
        assert_equal(look(ours, image), plain.detect(image))


def test_images_of_odd_sizes_are_answered(ours: Detector) -> None:
    """FAULTS 5: boxes inside the image, as many as ever."""
    usual = len(look(ours, noise(64, 64)))
    for width, height in THIN:
        found = look(ours, noise(width, height))
        assert len(found) == usual > 0
        assert (found.boxes >= 0).all()
        assert (found.boxes <= [width, height, width, height]).all()
        assert np.isfinite(found.scores).all()


PROCESSORS = {
    "detr": "DetrImageProcessorPil",
    "table-transformer": "DetrImageProcessorPil",
    "yolos": "YolosImageProcessorPil",
    "conditional_detr": "ConditionalDetrImageProcessorPil",
    "dab-detr": "ConditionalDetrImageProcessorPil",
    "deformable_detr": "DeformableDetrImageProcessorPil",
    "lw_detr": "DeformableDetrImageProcessorPil",
    "rt_detr": "RTDetrImageProcessorPil",
    "rt_detr_v2": "RTDetrImageProcessorPil",
    "d_fine": "RTDetrImageProcessorPil",
    "rf_detr": "RTDetrImageProcessorPil",  # its own needs torchvision, and is the same but for names
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("queries", "classes"), [(300, 91), (7, 3), (1, 1), (900, 2)])
def test_detections_are_chosen_as_by_its_image_processor(family: str, queries: int, classes: int) -> None:
    import torch
    import transformers
    from transformers.utils import ModelOutput

    random = np.random.default_rng(queries)
    outputs = classes + (FAMILIES[family].scores == "softmax")
    far_apart = random.permutation(np.linspace(-6, 6, queries * outputs, dtype=np.float32))
    logits = far_apart.reshape(1, queries, outputs)
    boxes = random.uniform(0, 1, (1, queries, 4)).astype(np.float32)
    processor = getattr(transformers, PROCESSORS[family])()
    output = ModelOutput(logits=torch.from_numpy(logits), pred_boxes=torch.from_numpy(boxes))
    [expected] = processor.post_process_object_detection(output, 0.0, torch.tensor([[480, 640]]))
    found = detections_from_raw(logits[0], boxes[0], FAMILIES[family], {}, 640, 480)
    order = np.argsort(-expected["scores"].numpy(), kind="stable")
    np.testing.assert_allclose(found.scores, expected["scores"].numpy()[order], atol=1e-4)
    np.testing.assert_array_equal(found.label_ids, expected["labels"].numpy()[order])
    clipped = np.clip(expected["boxes"].numpy()[order], 0, [640, 480, 640, 480])
    np.testing.assert_allclose(found.boxes, clipped, atol=1e-3)


@pytest.mark.parametrize(
    ("family", "size", "taken"),
    [
        ("rt_detr", {"height": 100, "width": 130}, (96, 128)),
        ("d_fine", {"height": 20, "width": 90}, (32, 64)),
        ("lw_detr", {"height": 70, "width": 90}, (64, 80)),
        ("lw_detr", {"shortest_edge": 100, "longest_edge": 200}, (96, 128)),
        ("rf_detr", {"height": 90, "width": 90}, (80, 80)),
    ],
)
def test_input_that_would_stop_transformers_is_cut_to_what_fits(
    tmp_path: Path, family: str, size: dict[str, int], taken: tuple[int, int]
) -> None:
    folder = make_checkpoint(tmp_path / "model", family, size=size)
    image = noise(400, 300)
    detector = our_detector(folder)
    assert detector.recipe.tensors(image)["pixel_values"].shape[-2:] == taken
    assert len(look(detector, image)) > 0


def test_an_rf_detr_whose_windows_are_not_square_is_refused(tmp_path: Path) -> None:
    """transformers 5.23 cuts its windows with rows and columns exchanged."""
    folder = make_checkpoint(tmp_path / "model", "rf_detr", size={"height": 64, "width": 96})
    with pytest.raises(ModelError, match="square input alone"):
        read_checkpoint(folder)
    alone = make_checkpoint(tmp_path / "alone", "rf_detr", size={"shortest_edge": 64, "longest_edge": 96})
    with pytest.raises(ModelError, match="square input alone"):
        read_checkpoint(alone)


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_preprocessor_the_input_fits_the_family(tmp_path: Path, family: str) -> None:
    folder = make_checkpoint(tmp_path / "model", family)
    (folder / "preprocessor_config.json").unlink()
    checkpoint = read_checkpoint(folder)
    assert [note.code for note in checkpoint.notes] == ["family_defaults"]
    squares = {"rt_detr": 640, "rt_detr_v2": 640, "d_fine": 640, "lw_detr": 640, "rf_detr": 560}
    expected = (squares[family], squares[family]) if family in squares else (1066, 800)
    if family == "yolos":
        expected = (1056, 800)
    assert checkpoint.preprocessing.input_size(640, 480) == expected
