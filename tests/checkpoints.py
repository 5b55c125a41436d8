"""Makes small checkpoints with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CLASSES = {0: "cat", 1: "dog", 2: "猫头鹰"}
BACKBONE = {
    "model_type": "resnet",
    "embedding_size": 8,
    "hidden_sizes": [8, 16],
    "depths": [1, 1],
    "layer_type": "basic",
    "out_features": ["stage2"],
}
TRANSFORMER = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_queries": 12,
}


def make_checkpoint(folder: Path, family: str, seed: int = 0, **processor: Any) -> Path:
    """Write a checkpoint of `family` with random weights that give spread-out scores; returns the folder.

    Args:
        folder: Where to write it.
        family: `detr`, `conditional_detr` or `yolos`.
        seed: Of the random weights.
        processor: Keys of `preprocessor_config.json` beside or instead of the usual ones.
    """
    import torch
    from transformers import AutoConfig, AutoModelForObjectDetection

    torch.manual_seed(seed)
    labels = {"id2label": CLASSES, "label2id": {name: at for at, name in CLASSES.items()}}
    config = AutoConfig.for_model(family, **_sizes(family), **labels)
    model = AutoModelForObjectDetection.from_config(config)
    with torch.no_grad():
        for tensor in model.parameters():
            if tensor.ndim == 2:
                tensor.normal_(0, 2 / tensor.shape[1] ** 0.5)
    model.save_pretrained(folder)
    kind = {"detr": "Detr", "conditional_detr": "ConditionalDetr", "yolos": "Yolos"}[family]
    settings = {"image_processor_type": f"{kind}ImageProcessor", "size": {"shortest_edge": 200, "longest_edge": 400}}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | processor), "utf-8")
    return folder


def _sizes(family: str) -> dict[str, Any]:
    if family == "yolos":
        return {
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 32,
            "image_size": [208, 400],
            "patch_size": 16,
            "num_detection_tokens": 12,
        }
    return {"backbone_config": BACKBONE, "use_timm_backbone": False, **TRANSFORMER}
