"""JSON answers of the API, which the command line and the window also show."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.detect.detection import Detection, Detections, Filter
from engine.errors import EngineError


def detection_answer(found: Detections, chosen: Filter) -> dict[str, Any]:
    """Make the answer of `POST /v1/vision/detections` for one image.

    Args:
        found: Every detection of the image.
        chosen: The request's threshold, top_k and labels.
    """
    return detections_answer([found], chosen)


def detections_answer(founds: Sequence[Detections], chosen: Filter) -> dict[str, Any]:
    """Make the answer of `POST /v1/vision/detections` for several images of one model.

    Args:
        founds: Every detection of each image; at least one image.
        chosen: The request's threshold, top_k and labels.
    """
    return {
        "object": "detection",
        "model": founds[0].model,
        "top_k": chosen.top_k,
        "threshold": chosen.threshold,
        "predictions": [
            {
                "index": index,
                "result": [_result(detection) for detection in found.keep(chosen)],
                "width": found.width,
                "height": found.height,
                "tokens": found.tokens,
            }
            for index, found in enumerate(founds)
        ],
    }


def with_warnings(answer: dict[str, Any], warnings: Sequence[Sequence[EngineError]]) -> dict[str, Any]:
    """Return an answer of `POST /v1/vision/detections` with its `warnings`, if there are any.

    Args:
        answer: The answer.
        warnings: What is wrong with each image.
    """
    told = [
        {"index": index, "code": warning.code, "message": warning.message}
        for index, each in enumerate(warnings)
        for warning in each
    ]
    return answer | {"warnings": told} if told else answer


def error_answer(error: EngineError) -> dict[str, Any]:
    """Make the API's error envelope."""
    detail = {"message": error.message, "type": "invalid_request_error", "param": None, "code": error.code}
    return {"error": detail, "detail": error.message}


def to_json(answer: object) -> str:
    """Encode as indented JSON, with lists of scalars on one line and non-ASCII text unescaped."""
    return _indented(answer, "") + "\n"


def _result(detection: Detection) -> dict[str, Any]:
    return {
        "score": shortest(detection.score),
        "label_id": detection.label_id,
        "label": detection.label,
        "bbox": [shortest(edge) for edge in detection.box],
    }


def shortest(value: float) -> float:
    """Return the shortest decimal of a float32 value: 0.98, not 0.9800000190734863."""
    return float(str(np.float32(value)))


def _indented(value: Any, indent: str) -> str:
    if not (value and isinstance(value, dict | list)):
        return _scalar(value)
    inner = indent + "  "
    if isinstance(value, dict):
        rows = [f"{inner}{_scalar(key)}: {_indented(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(inner + _indented(item, inner) for item in value) + f"\n{indent}]"
    return "[" + ", ".join(map(_scalar, value)) + "]"


def _scalar(value: Any) -> str:
    """Encode like `json.dumps`, faster for floats: a moved slider encodes thousands of them."""
    if type(value) is float and math.isfinite(value):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)
