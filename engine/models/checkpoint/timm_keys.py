"""Mapping of timm's ResNet, used by most DETR checkpoints, to transformers' ResNet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_DEPTHS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
_BASIC = ("resnet18", "resnet34")
_STAGES = 4
_HEAD = re.compile(r"(.*backbone\.(?:conv_encoder\.)?model\.)(?:_backbone\.)?((?:conv1|bn1|layer[1-4])\..+)")
_STEM = re.compile(r"(conv|bn)1\.(\w+)")
_IN_LAYER = re.compile(r"layer([1-4])\.(\d+)\.(?:(conv|bn)([1-3])|downsample\.([01]))\.(\w+)")
_KINDS = {"conv": "convolution", "bn": "normalization", "0": "convolution", "1": "normalization"}


@dataclass(frozen=True, slots=True)
class TimmResNet:
    """A ResNet of timm's that transformers can build itself.

    Attributes:
        config: Its `backbone_config`, of the kind `resnet`.
        dilated: DC5: its last stage keeps the size of the one before, with dilated convolutions.
    """

    config: Mapping[str, Any] = field(repr=False)
    dilated: bool


def explicit_backbone(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The `backbone_config` of a DETR whose backbone is timm's, or `None` where it is not.

    Checkpoints before transformers 5 spread it over the keys of config.json. Read from those, transformers 5 asks the
    hub whether `resnet50` is a model there. Source: `DetrConfig.__post_init__`.
    """
    given = config.get("backbone_config")
    if given is not None:
        return dict(given) if given.get("model_type") == "timm_backbone" else None
    if not config.get("use_timm_backbone", True):
        return None
    old = config.get("backbone_kwargs") or {}
    one_level = config.get("num_feature_levels", 4) == 1
    usual = ([4] if one_level else [2, 3, 4]) if config.get("model_type") == "deformable_detr" else [1, 2, 3, 4]
    return {
        "model_type": "timm_backbone",
        "backbone": config.get("backbone") or "resnet50",
        "num_channels": old.get("in_chans", config.get("num_channels", 3)),
        "features_only": True,
        "use_pretrained_backbone": False,
        "out_indices": old.get("out_indices", usual),
        "output_stride": old.get("output_stride", 16 if config.get("dilation") else None),
    }


def as_transformers(backbone: Mapping[str, Any]) -> TimmResNet | None:
    """The same ResNet for transformers, or `None` where it is none that transformers has.

    Args:
        backbone: A `backbone_config` of the kind `timm_backbone`.
    """
    name = str(backbone.get("backbone")).partition(".")[0].removeprefix("tv_")
    stages = [at % (_STAGES + 1) for at in backbone.get("out_indices") or [-1]]
    stride = backbone.get("output_stride") or 32
    if name not in _DEPTHS or stride not in {16, 32} or 0 in stages:
        return None
    widening = 1 if name in _BASIC else 4
    config = {
        "model_type": "resnet",
        "num_channels": backbone.get("num_channels", 3),
        "embedding_size": 64,
        "hidden_sizes": [64 * widening * 2**stage for stage in range(_STAGES)],
        "depths": list(_DEPTHS[name]),
        "layer_type": "basic" if name in _BASIC else "bottleneck",
        "hidden_act": "relu",
        "downsample_in_first_stage": False,
        "downsample_in_bottleneck": False,
        "out_features": [f"stage{stage}" for stage in stages],
    }
    return TimmResNet(config, dilated=stride == 16)


def renamed(tensor: str) -> str:
    """The name that transformers' ResNet has for a tensor of timm's; other tensors keep theirs.

    E.g. `...layer1.0.conv2.weight` is `...encoder.stages.0.layers.0.layer.1.convolution.weight`.
    """
    found = _HEAD.fullmatch(tensor)
    if found is None:
        return tensor
    head, tail = found.groups()
    if stem := _STEM.fullmatch(tail):
        return f"{head}embedder.embedder.{_KINDS[stem[1]]}.{stem[2]}"
    if part := _IN_LAYER.fullmatch(tail):
        stage, block, kind, number, downsample, last = part.groups()
        place = f"{head}encoder.stages.{int(stage) - 1}.layers.{block}"
        if downsample is not None:
            return f"{place}.shortcut.{_KINDS[downsample]}.{last}"
        return f"{place}.layer.{int(number) - 1}.{_KINDS[kind]}.{last}"
    return tensor


def dilate_last_stage(resnet: Any) -> None:
    """Make transformers' ResNet one with DC5, in place.

    Source: `make_blocks` of timm.models.resnet with `output_stride=16`: the last stage has stride 1; its 3x3
    convolutions have dilation 2, but for the first, which still looks at what was not yet spread out.

    Args:
        resnet: A `ResNetBackbone`.
    """
    first = True
    for layer in resnet.encoder.stages[-1].layers:
        shortcut = getattr(layer.shortcut, "convolution", None)
        convolutions = [step.convolution for step in layer.layer]
        for convolution in [*convolutions, *([] if shortcut is None else [shortcut])]:
            convolution.stride = (1, 1)
        for convolution in convolutions:
            if convolution.kernel_size == (3, 3):
                convolution.dilation = convolution.padding = (1, 1) if first else (2, 2)
                first = False
