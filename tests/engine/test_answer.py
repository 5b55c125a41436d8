"""The API's answer for an image."""

from __future__ import annotations

import json

import numpy as np

from engine.answer import detection_answer, error_answer, to_json
from engine.detect.detection import Detections, Filter
from engine.errors import ImageError

FOUND = Detections.from_arrays(
    np.array([0.98, 0.4], np.float32),
    np.array([0, 2]),
    np.array([[1, 2, 30.5, 40], [0, 0, 9, 9]], np.float32),
    {0: "qr_code", 2: "条码"},
    1280,
    960,
)


def test_keys_and_values_are_those_of_the_contract() -> None:
    answer = detection_answer(FOUND, Filter(threshold=0.5, top_k=5))
    assert answer == {
        "object": "detection",
        "model": "",
        "top_k": 5,
        "threshold": 0.5,
        "predictions": [
            {
                "index": 0,
                "result": [{"score": 0.98, "label_id": 0, "label": "qr_code", "bbox": [1.0, 2.0, 30.5, 40.0]}],
                "width": 1280,
                "height": 960,
                "tokens": 1567,
            }
        ],
    }


def test_json_reads_back_the_same_and_chinese_stays_chinese() -> None:
    answer = detection_answer(FOUND, Filter(threshold=0.1))
    text = to_json([answer, {"source": "图.jpg", "error": {}}, []])
    assert json.loads(text) == [answer, {"source": "图.jpg", "error": {}}, []]
    assert "条码" in text


def test_an_error_has_the_envelope() -> None:
    answer = error_answer(ImageError("image_truncated", "The image {name} is truncated.", name="a.jpg"))
    assert answer["error"]["code"] == "image_truncated"
    assert answer["detail"] == answer["error"]["message"] == "The image a.jpg is truncated."
