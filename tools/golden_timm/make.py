"""Writes tests/data/timm: what DETR models with timm's own ResNet answer. See README.md."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import load_file, save_file

from tools.golden_timm import declare_operators

declare_operators()
import timm  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoConfig, AutoModelForObjectDetection  # noqa: E402

from tools.golden_timm.tensors import pixels, tensor_of  # noqa: E402

TARGET = Path(__file__).parents[2] / "tests" / "data" / "timm"
SIZE = 96, 128
TRANSFORMER = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_queries": 8,
    "id2label": {"0": "cat", "1": "dog", "2": "猫头鹰"},
}
OF_4_41 = {"backbone_kwargs": {"in_chans": 3, "out_indices": [1, 2, 3, 4]}, "backbone_config": None}
CASES: dict[str, dict[str, Any]] = {
    "detr-resnet-50": {"model_type": "detr", "backbone": "resnet50"},
    "detr-resnet-50-dc5": {"model_type": "detr", "backbone": "resnet50", "dilation": True},
    "detr-resnet-101-of-4.41": {"model_type": "detr", "backbone": "resnet101", **OF_4_41},
    "detr-resnet-18-dc5": {"model_type": "detr", "backbone": "resnet18.a1_in1k", "dilation": True},
    "detr-resnet-34-of-5": {
        "model_type": "detr",
        "backbone_config": {"model_type": "timm_backbone", "backbone": "resnet34", "out_indices": [1, 2, 3, 4]},
    },
    "conditional-detr-resnet-18": {"model_type": "conditional_detr", "backbone": "resnet18"},
    "deformable-detr-resnet-50": {"model_type": "deformable_detr", "backbone": "resnet50"},
    "deformable-detr-one-level": {"model_type": "deformable_detr", "backbone": "resnet18", "num_feature_levels": 1},
    "table-transformer": {"model_type": "table-transformer", "backbone": "resnet18"},
    "dab-detr-resnet-18": {"model_type": "dab-detr", "backbone": "resnet18", "hidden_size": 32},
}


def main() -> None:
    """Write every case."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        config = {"use_timm_backbone": True, "use_pretrained_backbone": True, **TRANSFORMER, **case}
        (TARGET / f"{name}.json").write_text(
            json.dumps(golden(config), ensure_ascii=False, indent=None) + "\n", "utf-8"
        )


def golden(config: dict[str, Any]) -> dict[str, Any]:
    """A config, the tensors of its checkpoint by name and shape, and what the model with timm's ResNet answers."""
    with tempfile.TemporaryDirectory() as folder:
        understood = {key: value for key, value in config.items() if key not in OF_4_41 or value is not None}
        understood.pop("backbone_kwargs", None)  # transformers 5.23 asks the hub about the backbone where it is there
        family = understood.pop("model_type")
        AutoModelForObjectDetection.from_config(AutoConfig.for_model(family, **understood)).save_pretrained(folder)
        file = Path(folder, "model.safetensors")
        shapes = {name: list(tensor.shape) for name, tensor in sorted(load_file(file).items())}
        save_file({name: tensor_of(name, tuple(shape)) for name, shape in shapes.items()}, file, {"format": "pt"})
        model = AutoModelForObjectDetection.from_pretrained(folder).eval()
    assert any(type(module).__module__.startswith("timm.") for module in model.modules())
    with torch.inference_mode():
        output = model(pixel_values=torch.from_numpy(pixels(*SIZE)))
    return {
        "made with": {"timm": timm.__version__, "transformers": transformers.__version__, "torch": torch.__version__},
        "config": config,
        "size": SIZE,
        "logits": output.logits[0].tolist(),
        "pred_boxes": output.pred_boxes[0].tolist(),
        "tensors": shapes,
    }


if __name__ == "__main__":
    main()
