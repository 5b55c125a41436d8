"""Makes small checkpoints with random weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
SMALL = {
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_queries": 12,
}
DETR = {"backbone_config": BACKBONE, "use_timm_backbone": False, "d_model": 32, **SMALL}
TWO_LEVELS = {"backbone_config": {**BACKBONE, "out_features": ["stage1", "stage2"]}, "num_feature_levels": 3}
RT_DETR = {
    "d_model": 32,
    **SMALL,
    "decoder_layers": 2,
    "encoder_hidden_dim": 32,
    "encoder_in_channels": [16, 16, 16],
    "decoder_in_channels": [32, 32, 32],
    "num_denoising": 0,
}
FOUR_STAGES = {"embedding_size": 8, "hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1]}
RT_DETR_RESNET = {
    "model_type": "rt_detr_resnet",
    **FOUR_STAGES,
    "layer_type": "basic",
    "out_features": ["stage2", "stage3", "stage4"],
}
HGNET = {
    "model_type": "hgnet_v2",
    **FOUR_STAGES,
    "stem_channels": [3, 8, 8],
    "stage_in_channels": [8, 16, 16, 16],
    "stage_mid_channels": [8, 8, 8, 8],
    "stage_out_channels": [16, 16, 16, 16],
    "stage_num_blocks": [1, 1, 1, 1],
    "stage_numb_of_layers": [1, 1, 1, 1],
    "out_features": ["stage2", "stage3", "stage4"],
}
TRANSFORMER_BACKBONE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 64,
    "out_features": ["stage1", "stage2"],
}
WINDOWED = {
    "d_model": 32,
    "decoder_layers": 2,
    "decoder_ffn_dim": 32,
    "decoder_self_attention_heads": 4,
    "decoder_cross_attention_heads": 4,
    "num_queries": 12,
    "group_detr": 1,
    "c2f_num_blocks": 1,
}
CONFIGS: dict[str, dict[str, Any]] = {
    "detr": DETR,
    "table-transformer": DETR,
    "conditional_detr": DETR,
    "dab-detr": {**DETR, "hidden_size": 32},
    "deformable_detr": {**DETR, **TWO_LEVELS, "decoder_layers": 2},
    "yolos": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 32,
        "image_size": [208, 400],
        "patch_size": 16,
        "num_detection_tokens": 12,
    },
    "rt_detr": {**RT_DETR, "backbone_config": RT_DETR_RESNET},
    "rt_detr_v2": {**RT_DETR, "backbone_config": RT_DETR_RESNET},
    "d_fine": {**RT_DETR, "backbone_config": HGNET, "lqe_hidden_dim": 8, "max_num_bins": 8},
    "lw_detr": {
        **WINDOWED,
        "backbone_config": {"model_type": "lw_detr_vit", **TRANSFORMER_BACKBONE, "num_windows": 4, "patch_size": 8},
        "projector_scale_factors": [1.0],
    },
    "rf_detr": {
        **WINDOWED,
        "backbone_config": {"model_type": "rf_detr_dinov2", **TRANSFORMER_BACKBONE, "num_windows": 2, "patch_size": 8},
    },
}
"""Of each family, as small as it gets."""

_USUAL = {"size": {"shortest_edge": 200, "longest_edge": 400}}
_PROCESSORS: dict[str, dict[str, Any]] = {
    "detr": {"image_processor_type": "DetrImageProcessor", **_USUAL},
    "conditional_detr": {"image_processor_type": "ConditionalDetrImageProcessor", **_USUAL},
    "yolos": {"image_processor_type": "YolosImageProcessor", **_USUAL},
    "deformable_detr": {"image_processor_type": "DeformableDetrImageProcessor", **_USUAL},
    "rt_detr": {"image_processor_type": "RTDetrImageProcessor", "size": {"height": 96, "width": 128}},
    "lw_detr": {"image_processor_type": "DeformableDetrImageProcessor", "size": {"height": 64, "width": 64}},
    # RF-DETR's own processor needs torchvision; RT-DETR's chooses detections by the same formula.
    "rf_detr": {
        "image_processor_type": "RTDetrImageProcessor",
        "size": {"height": 64, "width": 64},
        "do_normalize": True,
    },
}
_GAINS = {"deformable_detr": 0.5, "lw_detr": 0.5, "rf_detr": 0.5, "yolos": 1}
"""Where images are sampled at learned places, large ones make an answer of the last bit of a pixel."""

_PROCESSOR_OF = {
    "table-transformer": "detr",
    "dab-detr": "conditional_detr",
    "rt_detr_v2": "rt_detr",
    "d_fine": "rt_detr",
}


def make_checkpoint(
    folder: Path, family: str, seed: int = 0, more: Mapping[str, Any] | None = None, **processor: Any
) -> Path:
    """Write a checkpoint of `family` with random weights that give spread-out scores; returns the folder.

    Args:
        folder: Where to write it.
        family: One of `CONFIGS`.
        seed: Of the random weights.
        more: Keys of `config.json` beside or instead of the usual ones.
        processor: Keys of `preprocessor_config.json` beside or instead of the usual ones.
    """
    import torch
    from transformers import AutoConfig, AutoModelForObjectDetection

    torch.manual_seed(seed)
    labels = {"id2label": CLASSES, "label2id": {name: at for at, name in CLASSES.items()}}
    config = AutoConfig.for_model(family, **{**CONFIGS[family], **(more or {})}, **labels)
    model = AutoModelForObjectDetection.from_config(config)
    with torch.no_grad():
        for tensor in model.parameters():
            if tensor.ndim == 2:
                tensor.normal_(0, _GAINS.get(family, 2) / tensor.shape[1] ** 0.5)
            elif tensor.ndim == 3:
                tensor.normal_()
    model.save_pretrained(folder)
    settings = _PROCESSORS[_PROCESSOR_OF.get(family, family)]
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | processor), "utf-8")
    return folder
