"""Input sizes that windowed transformer backbones need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isqrt
from typing import Any

from engine.detect.families import Family
from engine.detect.preprocess import Preprocessing
from engine.errors import ModelError


def with_windows(family: Family, config: Mapping[str, Any]) -> Family:
    """The family as this checkpoint has it: input sides are whole windows of whole patches, else transformers stops.

    Args:
        family: As it usually is.
        config: The checkpoint's config.json.
    """
    backbone = config.get("backbone_config") or {}
    if config.get("model_type") == "lw_detr":
        return replace(family, side_multiple=_patch(backbone, 16) * isqrt(int(backbone.get("num_windows", 16))))
    if config.get("model_type") == "rf_detr":
        return replace(family, side_multiple=_patch(backbone, 14) * int(backbone.get("num_windows", 4)))
    return family


def refuse_oblong_windows(config: Mapping[str, Any], preprocessing: Preprocessing, model: str) -> None:
    """Refuse an RF-DETR whose images are not made square.

    Its windows are cut with rows and columns exchanged, by transformers 5.23 as by the original: right for a square
    alone. Source: `RfDetrDinov2Embeddings.window_partition`.

    Raises:
        ModelError: boxes would be wrong without a word.
    """
    windows = int((config.get("backbone_config") or {}).get("num_windows", 4))
    size = preprocessing.size or {}
    square = size.get("height", 0) == size.get("width", 1)
    if config.get("model_type") == "rf_detr" and windows > 1 and not square:
        raise ModelError(
            "windows_not_square",
            "The model {model} cannot be used: an RF-DETR is right for square input alone; "
            "give the same height and width as size in preprocessor_config.json.",
            model=model,
        )


def _patch(backbone: Mapping[str, Any], usual: int) -> int:
    size = backbone.get("patch_size", usual)
    return max(map(int, size)) if isinstance(size, list) else int(size)
