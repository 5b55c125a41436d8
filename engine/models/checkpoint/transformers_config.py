"""The config that transformers gets: a checkpoint's config.json made independent of the hub."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from engine.errors import ModelError
from engine.models.checkpoint.timm_keys import TimmResNet, as_transformers, explicit_backbone

_TIMM_FAMILIES = frozenset({"detr", "conditional_detr", "deformable_detr", "dab-detr", "table-transformer"})
"""Those whose backbone is timm's where config.json says nothing."""

_OLD_BACKBONE_KEYS = ("backbone", "backbone_kwargs", "use_timm_backbone", "use_pretrained_backbone")

_NOT_OURS = ("auto_map", "transformers_weights", "fusion_config", "distributed_config", "kernel_config", "dtype")
"""Keys that make transformers run other code or read other files; the dtype is the runtime's."""


def transformers_config(
    config: Mapping[str, Any], names: Mapping[int, str], model: str
) -> tuple[dict[str, Any], TimmResNet | None]:
    """A config that needs neither the hub nor, where that can be, timm.

    Args:
        config: A checkpoint's config.json.
        names: The name of each class.
        model: What to call the model in an error.

    Returns:
        The config, and what its ResNet is where that was timm's and is now transformers' own.

    Raises:
        ModelError: the backbone is described elsewhere, or needs timm.
    """
    told = {key: value for key, value in config.items() if key not in _NOT_OURS}
    told["id2label"] = {str(label_id): name for label_id, name in names.items()}
    told["label2id"] = {name: label_id for label_id, name in names.items()}
    told.pop("num_labels", None)
    if config.get("model_type") not in _TIMM_FAMILIES:
        return told, None
    timms = explicit_backbone(config)
    if timms is None:
        _refuse_backbone_on_hub(config, model)
        return told, None
    for key in _OLD_BACKBONE_KEYS:
        told.pop(key, None)
    resnet = None if find_spec("timm") else _transformers_resnet(timms, model)
    return told | {"backbone_config": timms if resnet is None else dict(resnet.config)}, resnet


def _transformers_resnet(timms: Mapping[str, Any], model: str) -> TimmResNet:
    resnet = as_transformers(timms)
    if resnet is None:
        raise ModelError(
            "timm_missing",
            "The backbone of {model}, {backbone}, is one that only timm has: "
            "install timm (pip install timm) to use it.",
            model=model,
            backbone=str(timms.get("backbone"))[:100],
        )
    return resnet


def _refuse_backbone_on_hub(config: Mapping[str, Any], model: str) -> None:
    if config.get("backbone_config") is None and config.get("backbone"):
        raise ModelError(
            "backbone_elsewhere",
            "The model {model} cannot be used: its config.json does not describe the backbone, it names {backbone} on "
            "the hub; put that one's config.json into it as backbone_config.",
            model=model,
            backbone=str(config["backbone"])[:100],
        )
