"""DETR checkpoints with timm's ResNet, without timm: equal to what they answer with it (tools/golden_timm)."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from engine.errors import ModelError
from engine.models.checkpoint.checkpoint import read_checkpoint
from engine.models.checkpoint.timm_keys import as_transformers, explicit_backbone, renamed
from engine.runtimes.torch_runtime import TorchRuntime
from tools.golden_timm.tensors import Array, pixels, tensor_of

GOLDEN = Path(__file__).parents[3] / "data" / "timm"
CASES = sorted(path.stem for path in GOLDEN.glob("*.json"))

pytestmark = pytest.mark.skipif(find_spec("timm") is not None, reason="with timm installed nothing is mapped")


def golden(case: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((GOLDEN / f"{case}.json").read_text("utf-8"))
    return value


def checkpoint_of(case: str, folder: Path) -> dict[str, Any]:
    """Write the checkpoint that a golden file is about; returns the golden file."""
    known = golden(case)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(known["config"]), "utf-8")
    tensors = {name: tensor_of(name, tuple(shape)) for name, shape in known["tensors"].items()}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return known


def answer(folder: Path, size: list[int]) -> tuple[Array, Array]:
    runtime = TorchRuntime(read_checkpoint(folder), "cpu")
    output = runtime.run({"pixel_values": pixels(*size)})
    runtime.close()
    return output["logits"][0], output["pred_boxes"][0]


def assert_golden(folder: Path, known: dict[str, Any]) -> None:
    logits, boxes = answer(folder, known["size"])
    np.testing.assert_allclose(logits, known["logits"], atol=1e-4)
    np.testing.assert_allclose(boxes, known["pred_boxes"], atol=1e-4)


def test_there_are_golden_files_of_every_kind() -> None:
    assert len(CASES) == 10


@pytest.mark.parametrize("case", CASES)
def test_it_answers_as_with_timm(tmp_path: Path, case: str) -> None:
    assert_golden(tmp_path / "model", checkpoint_of(case, tmp_path / "model"))


def test_the_names_that_transformers_5_has_inside_are_mapped_too(tmp_path: Path) -> None:
    known = checkpoint_of("detr-resnet-18-dc5", tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    tensors = {
        name.replace("backbone.conv_encoder.model", "backbone.model"): array for name, array in load_file(file).items()
    }
    save_file(tensors, file, {"format": "pt"})
    assert_golden(tmp_path / "model", known)


def test_dilation_matters() -> None:
    """Else the DC5 files would prove nothing: the same tensors with and without it."""
    plain, dilated = golden("detr-resnet-50"), golden("detr-resnet-50-dc5")
    assert plain["tensors"] == dilated["tensors"]
    assert np.abs(np.subtract(plain["logits"], dilated["logits"])).max() > 0.05


def test_nothing_is_asked_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers 5.23 asks it about `resnet50` where config.json has `backbone_kwargs`, as 4.41 to 4.56 wrote it."""
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert_golden(tmp_path / "model", checkpoint_of("detr-resnet-101-of-4.41", tmp_path / "model"))


@pytest.mark.parametrize(
    ("tensor", "name"),
    [
        ("conv1.weight", "embedder.embedder.convolution.weight"),
        ("bn1.running_var", "embedder.embedder.normalization.running_var"),
        ("layer4.2.conv3.weight", "encoder.stages.3.layers.2.layer.2.convolution.weight"),
        ("layer1.0.bn2.bias", "encoder.stages.0.layers.0.layer.1.normalization.bias"),
        ("layer2.0.downsample.0.weight", "encoder.stages.1.layers.0.shortcut.convolution.weight"),
        ("layer2.0.downsample.1.running_mean", "encoder.stages.1.layers.0.shortcut.normalization.running_mean"),
        ("layer2.0.se.fc1.weight", "layer2.0.se.fc1.weight"),
    ],
)
def test_a_tensor_is_renamed(tensor: str, name: str) -> None:
    for head in ("model.backbone.conv_encoder.model.", "model.backbone.model."):
        assert renamed(head + tensor) == head + name
    assert renamed(f"model.encoder.{tensor}") == f"model.encoder.{tensor}"


@pytest.mark.parametrize(
    "backbone",
    [
        {"backbone": "resnet50d"},
        {"backbone": "resnet50", "output_stride": 8},
        {"backbone": "resnet50", "out_indices": [0, 4]},
        {"backbone": "swin_tiny_patch4_window7_224"},
        {"backbone": None},
    ],
    ids=str,
)
def test_a_backbone_that_only_timm_has_is_refused(tmp_path: Path, backbone: dict[str, Any]) -> None:
    assert as_transformers(backbone) is None
    checkpoint_of("table-transformer", tmp_path / "model")
    config = golden("table-transformer")["config"] | {"backbone_config": {"model_type": "timm_backbone", **backbone}}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelError, match=r"pip install timm"):
        read_checkpoint(tmp_path / "model")


def test_a_backbone_that_is_described_on_the_hub_is_refused(tmp_path: Path) -> None:
    checkpoint_of("table-transformer", tmp_path / "model")
    config = golden("table-transformer")["config"] | {"use_timm_backbone": False, "backbone": "microsoft/resnet-50"}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelError, match=r"microsoft/resnet-50 on the hub"):
        read_checkpoint(tmp_path / "model")


def test_a_config_that_says_nothing_means_timms_resnet50() -> None:
    assert explicit_backbone({"model_type": "detr"}) == {
        "model_type": "timm_backbone",
        "backbone": "resnet50",
        "num_channels": 3,
        "features_only": True,
        "use_pretrained_backbone": False,
        "out_indices": [1, 2, 3, 4],
        "output_stride": None,
    }
    assert explicit_backbone({"model_type": "detr", "use_timm_backbone": False}) is None
    assert explicit_backbone({"backbone_config": {"model_type": "resnet"}}) is None
