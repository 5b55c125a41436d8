"""The two conventions for inputs and outputs of DETR models in ONNX files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.detect.detection import Detections
from engine.detect.families import Family
from engine.detect.postprocess import detections_from_raw
from engine.detect.recipe import Tensors
from engine.errors import DetectionError
from engine.models.onnx.class_names import numbered
from engine.models.onnx.walk import OnnxFile, OnnxValue

_FLOATS = ("float32", "float16", "float64")
_IMAGES = (*_FLOATS, "uint8")
_INTEGERS = ("int64", "int32")
_STEPS_TO_CLASSES = 4
_ARITHMETIC = ("Sub", "Mul", "Div", "Mod", "Cast", "Identity")


@dataclass(frozen=True)
class Finished:
    """`images` + `orig_target_sizes` -> `labels, boxes, scores`: exports of RT-DETR, D-FINE and DEIM.

    Attributes:
        image: The input for the tensor.
        sizes: The input for the image's width and height, pixels, in this order.
        labels, boxes, scores: Names of the outputs; boxes are xyxy, pixels of the image as shown.
    """

    image: OnnxValue
    sizes: OnnxValue
    labels: str
    boxes: str
    scores: str

    def tensors(self, pixels: npt.NDArray[np.float32], mask: object, width: int, height: int) -> Tensors:
        """Return the input tensors."""
        sizes = np.array([[width, height]], self.sizes.type)
        return {self.image.name: _as_type(pixels, self.image), self.sizes.name: sizes}

    def detections(self, output: Tensors, names: Mapping[int, str], width: int, height: int) -> Detections:
        """Convert the outputs; raises DetectionError where they do not follow the convention."""
        scores = output[self.scores][0].astype(np.float32)
        label_ids = output[self.labels][0].astype(np.int64)
        boxes = output[self.boxes][0].astype(np.float32)
        if scores.ndim != 1 or label_ids.shape != scores.shape or boxes.shape != (*scores.shape, 4):
            raise _unfit_output(label_ids, boxes, scores)
        found = scores > 0
        label_ids, boxes = label_ids[found], boxes[found]
        names = {**names, **numbered(set(label_ids.tolist()) - names.keys())}
        return Detections.from_arrays(scores[found], label_ids, boxes, names, width, height)


@dataclass(frozen=True)
class Raw:
    """`pixel_values` [+ `pixel_mask`] -> `logits, pred_boxes`: exports of transformers models.

    Attributes:
        image: The input for the tensor.
        mask: The input that tells image from padding, if there is one.
        logits, boxes: Names of the outputs.
        family: How scores are made of logits.
    """

    image: OnnxValue
    mask: OnnxValue | None
    logits: str
    boxes: str
    family: Family

    def tensors(
        self, pixels: npt.NDArray[np.float32], mask: npt.NDArray[np.int64] | None, width: int, height: int
    ) -> Tensors:
        """Return the input tensors."""
        tensors = {self.image.name: _as_type(pixels, self.image)}
        if self.mask:
            whole = np.ones((1, *pixels.shape[2:]), np.int64) if mask is None else mask
            tensors[self.mask.name] = _as_type(_resampled(whole, self.mask), self.mask)
        return tensors

    def detections(self, output: Tensors, names: Mapping[int, str], width: int, height: int) -> Detections:
        """Convert the outputs; raises DetectionError where they do not follow the convention."""
        logits = output[self.logits][0].astype(np.float32)
        boxes = output[self.boxes][0].astype(np.float32)
        if logits.ndim != 2 or boxes.shape != (len(logits), 4) or logits.size == 0:
            raise _unfit_output(logits, boxes)
        classes = logits.shape[-1] - (self.family.scores == "softmax")
        names = {**numbered(set(range(classes)) - names.keys()), **names}
        return detections_from_raw(logits, boxes, self.family, names, width, height)


def finished(file: OnnxFile) -> Finished | None:
    """Return the convention with the image's size as input if the file follows it, by name, else by shape."""
    image = _image(file)
    sizes = _named(file.inputs, "orig_target_sizes") or _only(
        value for value in file.inputs if _has_shape(value, None, 2)
    )
    labels = _named(file.outputs, "labels") or _only(_two_dimensional(file.outputs, _INTEGERS))
    scores = _named(file.outputs, "scores") or _only(_two_dimensional(file.outputs, _FLOATS))
    boxes = _named(file.outputs, "boxes") or _only(value for value in file.outputs if _has_shape(value, None, None, 4))
    if not (image and sizes and labels and boxes and scores) or len(file.inputs) != 2:
        return None
    if sizes.type not in (*_INTEGERS, *_FLOATS):
        return None
    return Finished(image, sizes, labels.name, boxes.name, scores.name)


def raw(file: OnnxFile, family_of: Callable[[int | None], Family]) -> Raw | None:
    """Return the convention without the image's size if the file follows it.

    Outputs are matched by name only: other models have outputs of the same shapes that hold pixels or scores.

    Args:
        file: The file's structure.
        family_of: Returns the family for the number of logits per query, `None` if the file does not declare it.
    """
    image = _image(file)
    mask = _named(file.inputs, "pixel_mask")
    logits, boxes = _named(file.outputs, "logits", "pred_logits"), _named(file.outputs, "pred_boxes")
    if not (image and logits and boxes) or len(file.inputs) != (2 if mask else 1):
        return None
    if mask and (not mask.type or not _has_shape(mask, None, None, None)):
        return None
    return Raw(image, mask, logits.name, boxes.name, family_of(logits.shape[-1] if logits.shape else None))


def class_count(file: OnnxFile, labels: str) -> int | None:
    """Return the number of classes of a model that outputs label ids, if its graph shows it.

    Such graphs compute labels as `index % classes`, so the only integer constant leading to them is that number.
    """
    wanted, numbers = {labels}, set()
    for _ in range(_STEPS_TO_CLASSES):
        nodes = [node for name in wanted if (node := file.nodes.get(name)) and node.operation in _ARITHMETIC]
        wanted = {name for node in nodes for name in node.inputs}
        numbers |= {file.integers[name] for name in wanted if file.integers.get(name, 0) > 1}
    return numbers.pop() if len(numbers) == 1 else None


def _unfit_output(*arrays: npt.NDArray[Any]) -> DetectionError:
    """Return the error for outputs whose shapes differ from the declared ones."""
    shapes = ", ".join(" x ".join(map(str, array.shape)) or "one number" for array in arrays)
    return DetectionError(
        "answer_unfit", "The model cannot be used: no detections can be made of its answer ({shapes}).", shapes=shapes
    )


def _image(file: OnnxFile) -> OnnxValue | None:
    """Return the input for one RGB image, channels first."""
    value = _only(value for value in file.inputs if _has_shape(value, None, 3, None, None))
    return value if value and value.type in _IMAGES and value.shape and value.shape[0] in (1, None) else None


def _named(values: Iterable[OnnxValue], *names: str) -> OnnxValue | None:
    return next((value for value in values if value.name in names), None)


def _only(values: Iterable[OnnxValue]) -> OnnxValue | None:
    found = list(values)
    return found[0] if len(found) == 1 else None


def _two_dimensional(values: Iterable[OnnxValue], types: tuple[str, ...]) -> Iterable[OnnxValue]:
    return (value for value in values if value.type in types and _has_shape(value, None, None))


def _has_shape(value: OnnxValue, *sides: int | None) -> bool:
    """Return whether a value's shape may be this one; `None` matches any size."""
    if value.shape is None or len(value.shape) != len(sides):
        return False
    return all(None in (side, wanted) or side == wanted for side, wanted in zip(value.shape, sides, strict=True))


def _as_type(array: npt.NDArray[Any], value: OnnxValue) -> npt.NDArray[Any]:
    return array.astype(value.type, copy=False)


def _resampled(mask: npt.NDArray[np.int64], value: OnnxValue) -> npt.NDArray[np.int64]:
    """Resample the mask [1, height, width] to the declared shape, which may differ from the tensor's."""
    for axis, side in enumerate(value.shape or ()):
        if axis and side and side != mask.shape[axis]:
            mask = mask.take(np.arange(side) * mask.shape[axis] // side, axis)
    return mask
