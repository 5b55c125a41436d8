"""A checkpoint folder, checked without loading its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import Image

from engine.detect.detection import Detections
from engine.detect.families import FAMILIES, WRONG_IN_TRANSFORMERS, Family
from engine.detect.postprocess import detections_from_raw
from engine.detect.preprocess import Preprocessing
from engine.detect.recipe import Tensors
from engine.errors import ModelError
from engine.models.checkpoint.json_files import read_json
from engine.models.checkpoint.labels import class_count, fitted, read_labels
from engine.models.checkpoint.tensor_files import shapes_of, tensor_files
from engine.models.checkpoint.timm_keys import TimmResNet
from engine.models.checkpoint.transformers_config import transformers_config
from engine.models.checkpoint.windows import refuse_oblong_windows, with_windows
from engine.models.notes import Note


@dataclass(frozen=True)
class Checkpoint:
    """A folder that holds a model of the DETR family, its small files read.

    Attributes:
        folder: Where it lies.
        family_name: `model_type` of its config.
        family: What is particular to that family.
        names: Class names by label id.
        preprocessing: How images become its tensors.
        config: What transformers is told of it.
        tensor_files: Where its tensors are.
        timm_resnet: Its ResNet, where that was saved by timm and transformers builds it; its tensors are renamed then.
        notes: What the user should know of it.
    """

    folder: Path
    family_name: str
    family: Family
    names: Mapping[int, str]
    preprocessing: Preprocessing
    config: Mapping[str, Any] = field(repr=False)
    tensor_files: tuple[Path, ...] = field(repr=False)
    timm_resnet: TimmResNet | None = None
    notes: tuple[Note, ...] = ()

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
    config = read_json(folder, "config.json")
    family_name, family = _family(folder, config)
    files = tensor_files(folder)
    classes = class_count(shapes_of(files), family)
    processor, notes = _processor_config(folder, family_name)
    try:
        names = read_labels(config)
        family = with_windows(family, config)
        preprocessing = Preprocessing.from_config(processor, family)
        refuse_oblong_windows(config, preprocessing, folder.name)
        if classes is not None:
            names, said = fitted(names, classes, folder.name)
            notes += said
        told, timm_resnet = transformers_config(config, names, folder.name)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ModelError(
            "checkpoint_settings",
            "The model {model} cannot be used: the label names in config.json "
            "or preprocessor_config.json make no sense.",
            model=folder.name,
        ) from error
    return Checkpoint(
        folder, family_name, family, MappingProxyType(names), preprocessing, told, files, timm_resnet, notes
    )


def _family(folder: Path, config: Mapping[str, Any]) -> tuple[str, Family]:
    name = config.get("model_type")
    if isinstance(name, str) and name in WRONG_IN_TRANSFORMERS:
        raise ModelError(
            "family_wrong",
            "The model {model} is of the kind {family}, whose boxes come out wrong in transformers: "
            "use its ONNX export instead.",
            model=folder.name,
            family=name,
        )
    if not isinstance(name, str) or name not in FAMILIES:
        raise ModelError(
            "family_unknown",
            "The model {model} is of the kind {family}, which cannot be used here; known are {known}.",
            model=folder.name,
            family=name,
            known=", ".join(sorted(FAMILIES)),
        )
    return name, FAMILIES[name]


def _processor_config(folder: Path, family_name: str) -> tuple[Mapping[str, Any], tuple[Note, ...]]:
    """The image processor's settings: of their own file, or inside `processor_config.json`; empty where neither is."""
    if (folder / "preprocessor_config.json").exists():
        return read_json(folder, "preprocessor_config.json"), ()
    if (folder / "processor_config.json").exists():
        config = read_json(folder, "processor_config.json").get("image_processor")
        if isinstance(config, Mapping):
            return config, ()
    note = Note(
        "family_defaults",
        "There is no preprocessor_config.json: images are prepared as is usual for {family}.",
        family=family_name,
    )
    return {}, (note,)
