"""A checkpoint folder: read and checked without loading its tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import Image

from engine.detect.detection import Detections
from engine.detect.families import FAMILIES, Family
from engine.detect.postprocess import detections_from_raw
from engine.detect.preprocess import Preprocessing
from engine.detect.recipe import Tensors
from engine.errors import ModelError

MAX_JSON_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Checkpoint:
    """A folder that holds a model of the DETR family, its small files read.

    Attributes:
        folder: Where it lies.
        family_name: `model_type` of its config.
        family: What is particular to that family.
        names: Class names by label id.
        preprocessing: How images become its tensors.
    """

    folder: Path
    family_name: str
    family: Family
    names: Mapping[int, str]
    preprocessing: Preprocessing

    def tensors(self, image: Image.Image) -> Tensors:
        """`pixel_values`, and `pixel_mask` where there is padding; see `Recipe.tensors`."""
        pixels, mask = self.preprocessing(image)
        return {"pixel_values": pixels} if mask is None else {"pixel_values": pixels, "pixel_mask": mask}

    def detections(self, output: Tensors, width: int, height: int) -> Detections:
        """From `logits` and `pred_boxes`; see `Recipe.detections`."""
        logits, boxes = output["logits"][0], output["pred_boxes"][0]
        return detections_from_raw(logits, boxes, self.family, self.names, width, height)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read and check a checkpoint folder; no tensor is loaded, nothing is fetched, no code of it is run.

    Raises:
        ModelError: naming what is wrong with the folder.
    """
    if not folder.is_dir():
        raise ModelError("model_folder_missing", "There is no model folder {model}.", model=folder.name)
    config = _read_json(folder, "config.json")
    family_name, family = _family(folder, config)
    _refuse_timm(folder, config)
    _check_tensors(folder)
    try:
        names = MappingProxyType({int(key): str(label) for key, label in _labels(config).items()})
        preprocessing = Preprocessing.from_config(_processor_config(folder), family)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            "checkpoint_settings",
            "The model {model} cannot be used: the label names in config.json "
            "or preprocessor_config.json make no sense.",
            model=folder.name,
        ) from error
    return Checkpoint(folder, family_name, family, names, preprocessing)


def _family(folder: Path, config: Mapping[str, Any]) -> tuple[str, Family]:
    name = config.get("model_type")
    if not isinstance(name, str) or name not in FAMILIES:
        raise ModelError(
            "family_unknown",
            "The model {model} is of the kind {family}, which cannot be used here; known are {known}.",
            model=folder.name,
            family=name,
            known=", ".join(sorted(FAMILIES)),
        )
    return name, FAMILIES[name]


def _labels(config: Mapping[str, Any]) -> Mapping[Any, Any]:
    """`id2label`, or transformers' own default of two nameless classes."""
    labels = config.get("id2label") or {at: f"LABEL_{at}" for at in range(int(config.get("num_labels", 2)))}
    if not isinstance(labels, Mapping):
        raise TypeError("id2label is not a table")
    return labels


def _refuse_timm(folder: Path, config: Mapping[str, Any]) -> None:
    backbone = config.get("backbone_config")
    kind = backbone.get("model_type") if isinstance(backbone, Mapping) else None
    if kind == "timm_backbone" or (kind is None and config.get("use_timm_backbone", False)):
        from importlib.util import find_spec

        if find_spec("timm") is None:
            raise ModelError(
                "timm_missing",
                "The backbone of {model} is saved in timm's format: install timm (pip install timm) to use it.",
                model=folder.name,
            )


def _check_tensors(folder: Path) -> None:
    """Each safetensors file is whole, and every file that the index names is inside the folder."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        names = set(_read_json(folder, index.name).get("weight_map", {}).values())
    elif (folder / "model.safetensors").exists():
        names = {"model.safetensors"}
    else:
        raise _no_tensors(folder)
    for name in sorted(names):
        if not isinstance(name, str) or Path(name).name != name:
            raise ModelError(
                "checkpoint_index",
                "The model {model} cannot be used: its index names a file outside its folder.",
                model=folder.name,
            )
        _check_safetensors(folder, name)


def _check_safetensors(folder: Path, name: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / name, framework="numpy"):
            pass
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            "checkpoint_truncated",
            "The model {model} cannot be used: {file} is missing, truncated or damaged; copy or download it again.",
            model=folder.name,
            file=name,
        ) from error


def _no_tensors(folder: Path) -> ModelError:
    if any(folder.glob("pytorch_model*.bin")):
        return ModelError(
            "pickle_refused",
            "The model {model} is saved as pytorch_model.bin, a format that can run code when it is opened: "
            "save it again with save_pretrained (safetensors) on a machine you trust.",
            model=folder.name,
        )
    return _missing(folder, "model.safetensors")


def _processor_config(folder: Path) -> Mapping[str, Any]:
    """The image processor's settings: of their own file, or inside `processor_config.json`; empty where neither is."""
    if (folder / "preprocessor_config.json").exists():
        return _read_json(folder, "preprocessor_config.json")
    if (folder / "processor_config.json").exists():
        config = _read_json(folder, "processor_config.json").get("image_processor", {})
        return config if isinstance(config, Mapping) else {}
    return {}


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ValueError(f"more than {MAX_JSON_BYTES} bytes")
        value = json.loads(path.read_text("utf-8-sig"))
        if not isinstance(value, dict):
            raise TypeError("not a JSON object")
    except FileNotFoundError as error:
        raise _missing(folder, name) from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(
            "checkpoint_json",
            "The model {model} cannot be used: {file} is not a whole JSON file; copy or download it again.",
            model=folder.name,
            file=name,
        ) from error
    return value


def _missing(folder: Path, name: str) -> ModelError:
    return ModelError(
        "checkpoint_incomplete",
        "The model {model} cannot be used: {file} is missing; choose the folder that holds it.",
        model=folder.name,
        file=name,
    )
