"""An ONNX model of the DETR family, checked without loading its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from PIL import Image

from engine.detect.detection import Detections
from engine.detect.families import FAMILIES, Family, Size
from engine.detect.preprocess import Preprocessing
from engine.detect.recipe import Tensors
from engine.errors import ModelError
from engine.models.onnx.beside import files_beside, names_of, settings_beside
from engine.models.onnx.class_names import numbered
from engine.models.onnx.conventions import Finished, Raw, class_count, finished, raw
from engine.models.onnx.file import read_onnx_file
from engine.models.onnx.walk import OnnxFile, OnnxValue

_MOST_DESCRIBED = 400
_PILLOW_DEFAULT = Image.Resampling.BICUBIC
"""Pillow's default resampling (bicubic), with which such files are used; AP is the same with bilinear."""
_SQUARE = FAMILIES["rt_detr"]
"""Default preprocessing of a file with square input: 640 x 640 pixels, RGB / 255."""


@dataclass(frozen=True)
class OnnxModel:
    """A model of the DETR family in an ONNX file.

    Attributes:
        path: The file.
        family_name: `model_type` of a config.json beside it, else `onnx`.
        names: Class names by label id; `class 0`, ... if only their number is known; empty if not even that is.
        names_unknown: Whether no file gives the names; `engine.models.onnx.beside.keep_names` saves the user's.
        preprocessing: How images are resized and normalised.
        convention: Meaning of its inputs and outputs.
    """

    path: Path
    family_name: str
    names: Mapping[int, str]
    names_unknown: bool
    preprocessing: Preprocessing
    convention: Finished | Raw

    def tensors(self, image: Image.Image) -> Tensors:
        """See `Recipe.tensors`."""
        pixels, mask = self.preprocessing(image)
        return self.convention.tensors(pixels, mask, image.width, image.height)

    def detections(self, output: Tensors, width: int, height: int) -> Detections:
        """See `Recipe.detections`."""
        return self.convention.detections(output, self.names, width, height)


def read_onnx(path: Path) -> OnnxModel:
    """Read and check an ONNX file and the small files beside it; no tensor is loaded.

    Raises:
        ModelError: it is damaged, not of the DETR family, or lacks information.
    """
    file = read_onnx_file(path)
    names = names_of(path, file.metadata)
    family_name = str(settings_beside(path, "config.json").get("model_type", "onnx"))
    convention = finished(file) or raw(file, lambda logits: _family(path, family_name, logits, names))
    if convention is None:
        raise _not_understood(path, file)
    known = names if names is not None else numbered(range(_count(file, convention) or 0))
    return OnnxModel(
        path,
        family_name if family_name in FAMILIES else "onnx",
        MappingProxyType(known),
        names is None,
        _preprocessing(path, file, convention, family_name),
        convention,
    )


def files_with(path: Path) -> list[Path]:
    """Return the other files an ONNX file's detections depend on: external tensors, class names, settings.

    Empty for files of other kinds and for damaged files (`read_onnx` reports those).
    """
    if path.suffix.lower() != ".onnx":
        return []
    try:
        companions = read_onnx_file(path).companions
    except ModelError:
        return []
    return [path.parent / name for name in companions] + files_beside(path)


def _family(path: Path, family_name: str, logits: int | None, names: Mapping[int, str] | None) -> Family:
    """Return the family by `model_type`, else softmax if there is one logit more than classes ("no object").

    Args:
        path: The model.
        family_name: `model_type` of a config.json.
        logits: Number of logits per query, if known.
        names: Class names by label id, if they are known.

    Raises:
        ModelError: neither is conclusive.
    """
    if family_name in FAMILIES:
        return FAMILIES[family_name]
    classes = max(names) + 1 if names else None
    if logits is not None and classes in (logits, logits - 1):
        return Family("sigmoid" if classes == logits else "softmax")
    if logits is not None and names and len(names) in (logits, logits - 1):
        return Family("sigmoid" if len(names) == logits else "softmax")
    raise ModelError(
        "onnx_scores_unknown",
        "The model {model} does not say how its scores are made: put its config.json beside it, "
        "or labels.txt with the names of all its classes, one a line.",
        model=path.name,
    )


def _count(file: OnnxFile, convention: Finished | Raw) -> int | None:
    if isinstance(convention, Finished):
        return class_count(file, convention.labels)
    logits = next(value for value in file.outputs if value.name == convention.logits)
    last = logits.shape[-1] if logits.shape else None
    return None if last is None else last - (convention.family.scores == "softmax")


def _preprocessing(path: Path, file: OnnxFile, convention: Finished | Raw, family_name: str) -> Preprocessing:
    """Return the settings of preprocessor_config.json, else the convention's; a fixed input size takes precedence."""
    config = dict(settings_beside(path, "preprocessor_config.json"))
    size = _fixed_size(convention.image)
    if isinstance(convention, Finished):
        family = replace(_SQUARE, normalise=_has_dinov3(file))
        config = {"resample": _PILLOW_DEFAULT, **config}
    else:
        is_square = size and family_name not in FAMILIES and convention.family.scores == "sigmoid"
        family = _SQUARE if is_square else convention.family
    if size:
        config |= {"size": size, "do_resize": True, "do_pad": False}
        family = replace(family, side_multiple=1)
    if convention.image.type == "uint8":  # the graph itself rescales and normalises
        config |= {"do_rescale": False, "do_normalize": False}
    try:
        return Preprocessing.from_config(config, family)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            "preprocessor_settings",
            "The model {model} cannot be used: {file} beside it makes no sense.",
            model=path.name,
            file="preprocessor_config.json",
        ) from error


def _has_dinov3(file: OnnxFile) -> bool:
    """Return whether this is a DEIMv2 with a DINOv3 backbone, which needs normalised images; judged by tensor names.

    Source: tools/inference/onnx_inf.py of Intellindust-AI-Lab/DEIMv2, and `DINOv3STAs` there.
    """
    return any("dinov3" in name for node in file.nodes.values() for name in node.inputs)


def _fixed_size(image: OnnxValue) -> Size | None:
    height, width = (image.shape or (None, None))[-2:]
    if height is None and width is None:
        return None
    return {"height": height or width or 0, "width": width or height or 0}


def _not_understood(path: Path, file: OnnxFile) -> ModelError:
    inputs, outputs = (", ".join(map(str, values))[:_MOST_DESCRIBED] for values in (file.inputs, file.outputs))
    return ModelError(
        "onnx_not_understood",
        "The model {model} takes {inputs} and returns {outputs}; understood are one image of 3 channels with "
        "orig_target_sizes -> labels, boxes, scores (RT-DETR, D-FINE, DEIM), and pixel_values, with or without "
        "pixel_mask -> logits, pred_boxes (transformers).",
        model=path.name,
        inputs=inputs or "nothing",
        outputs=outputs or "nothing",
    )
