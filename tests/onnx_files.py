"""Makes small ONNX files, field by field, whole or with what is wrong in the wild."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "float16": 10}
FRACTIONS = np.array([[0.1, 0.2, 0.5, 0.6], [0.3, 0.1, 0.9, 0.4], [0.0, 0.5, 1.0, 1.0]], np.float32)
"""Of the tiny models: xyxy as parts of the image's width and height."""

LABELS = (1, 2, 81)
"""Of the tiny models with finished labels."""

Shape = Sequence[int | str]


def field(number: int, content: bytes | str | int) -> bytes:
    """One field of a protobuf message."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """A number, seven bits a byte."""
    value &= 2**64 - 1
    done = b""
    while value > 127:
        done, value = done + bytes([value & 127 | 128]), value >> 7
    return done + bytes([value])


def tensor(name: str, array: npt.NDArray[Any], external: Mapping[str, str] | None = None) -> bytes:
    """A TensorProto with the numbers in it, or in a file beside."""
    head = b"".join(field(1, side) for side in array.shape) + field(2, TYPES[array.dtype.name]) + field(8, name)
    if external is None:
        return head + field(9, array.tobytes())
    pairs = [field(13, field(1, key) + field(2, value)) for key, value in external.items()]
    return head + b"".join(pairs) + field(14, 1)


def value(name: str, kind: str, shape: Shape | None) -> bytes:
    """A ValueInfoProto; a text is a side that may vary, no shape is one that is not told."""
    told = b""
    if shape is not None:
        told = field(2, b"".join(field(1, field(1 if isinstance(side, int) else 2, side)) for side in shape))
    return field(1, name) + field(2, field(1, field(1, TYPES[kind]) + told))


def node(operation: str, inputs: Sequence[str], output: str, **attributes: int | list[int]) -> bytes:
    """A NodeProto."""
    content = b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operation)
    for name, number in attributes.items():
        if isinstance(number, int):
            content += field(5, field(1, name) + field(3, number) + field(20, 2))
        else:
            content += field(5, field(1, name) + b"".join(field(8, each) for each in number) + field(20, 7))
    return content


def model(
    nodes: Sequence[bytes],
    tensors: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A ModelProto."""
    graph = b"".join(field(1, each) for each in nodes) + field(2, "tiny")
    graph += b"".join(field(5, each) for each in tensors)
    graph += b"".join(field(11, each) for each in inputs) + b"".join(field(12, each) for each in outputs)
    props = b"".join(field(14, field(1, key) + field(2, text)) for key, text in (metadata or {}).items())
    return field(1, 8) + field(8, field(2, 13)) + field(7, graph) + props


def write_finished(
    path: Path,
    metadata: Mapping[str, str] | None = None,
    image: Shape = ("N", 3, 32, 48),
    image_type: str = "float32",
    names: Sequence[str] = ("images", "orig_target_sizes", "labels", "boxes", "scores"),
    shapes: bool = True,
) -> Path:
    """A model with finished labels: three boxes at `FRACTIONS`, with the means of red, green and blue as scores."""
    images, sizes, labels, boxes, scores = names
    nodes = [
        node("Cast", [images], "float", to=1),
        node("ReduceMean", ["float"], scores, axes=[2, 3], keepdims=0),
        node("Cast", [sizes], "sides", to=1),
        node("Concat", ["sides", "sides"], "scale", axis=1),
        node("Unsqueeze", ["scale", "one"], "scales"),
        node("Mul", ["scales", "fractions"], boxes),
        node("Mod", ["places", "classes"], labels),
    ]
    tensors = [
        tensor("one", np.array([1])),
        tensor("fractions", FRACTIONS[None]),
        tensor("places", np.array([LABELS]) + 90),
        tensor("classes", np.array(90)),
    ]
    outputs = [
        value(boxes, "float32", ("N", "Q", 4) if shapes else None),
        value(labels, "int64", ("N", "Q") if shapes else None),
        value(scores, "float32", ("N", "Q") if shapes else None),
    ]
    inputs = [value(images, image_type, image), value(sizes, "int64", ("M", 2))]
    path.write_bytes(model(nodes, tensors, inputs, outputs, metadata))
    return path


def write_raw(
    path: Path,
    logits: int = 4,
    metadata: Mapping[str, str] | None = None,
    image: Shape = (1, 3, "height", "width"),
    image_type: str = "float32",
    mask: Shape | None = None,
    names: Sequence[str] = ("pixel_values", "logits", "pred_boxes"),
) -> Path:
    """A model with logits: query n has the mean of channel n as logit of class n, and 0 for the others.

    Args:
        path: Where to write it.
        logits: How many each query has.
        metadata: Of the file.
        image: Shape of the input.
        image_type: Type of the input.
        mask: Shape of a mask, whose mean the logits are multiplied with; `None` for none.
        names: Of image, logits and boxes.
    """
    images, scores, boxes = names
    centres = np.concatenate([(FRACTIONS[:, :2] + FRACTIONS[:, 2:]) / 2, FRACTIONS[:, 2:] - FRACTIONS[:, :2]], 1)
    nodes = [
        node("Cast", [images], "float", to=1),
        node("ReduceMean", ["float"], "means", axes=[2, 3], keepdims=0),
        node("Unsqueeze", ["means", "two"], "columns"),
        node("Mul", ["columns", "diagonal"], "whole" if mask else scores),
        node("Identity", ["centres"], boxes),
    ]
    inputs = [value(images, image_type, image)]
    if mask:
        inputs.append(value("pixel_mask", "int64", mask))
        nodes += [
            node("Cast", ["pixel_mask"], "masked", to=1),
            node("ReduceMean", ["masked"], "share", keepdims=0),
            node("Mul", ["whole", "share"], scores),
        ]
    tensors = [
        tensor("two", np.array([2])),
        tensor("diagonal", np.eye(3, logits, dtype=np.float32)[None]),
        tensor("centres", centres[None].astype(np.float32)),
    ]
    outputs = [value(scores, "float32", ("N", 3, logits)), value(boxes, "float32", ("N", 3, 4))]
    path.write_bytes(model(nodes, tensors, inputs, outputs, metadata))
    return path
