"""Clients that people already run, unchanged."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openai
import pytest
import requests

from tests.engine.api.conftest import DEEPSTACK, DETECTIONS, LOCALAI, VISUALIZE, Serve, Service, image_bytes

IMAGE = image_bytes()
PLAIN = base64.b64encode(IMAGE).decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_old_services_curl_examples(service: Service, tmp_path: Path) -> None:
    body = {
        "top_k": 5,
        "messages": [{"role": "user", "content": [{"type": "image_base64", "image_url": {"url": PLAIN}}]}],
    }
    (tmp_path / "body.json").write_text(json.dumps(body))

    def curl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["curl", "-sS", "--fail", *arguments], cwd=tmp_path, capture_output=True, timeout=30)

    post = ["-H", "Content-Type: application/json", "-H", "X-Model: tiny", "-H", "X-Detr-Threshold: 0.1"]
    post += ["-d", "@body.json", "-D", "headers.txt"]
    done = curl(*post, service.url + DETECTIONS)
    answer = json.loads(done.stdout)
    assert (answer["model"], answer["top_k"], answer["threshold"]) == ("tiny", 5, 0.1)
    assert len(answer["predictions"][0]["result"]) == 5
    assert "x-prompts-token: 98" in (tmp_path / "headers.txt").read_text().lower()
    plain = curl("-H", "X-Detr-Threshold: 0.1", "-d", "@body.json", service.url + DETECTIONS)
    assert json.loads(plain.stdout)["predictions"][0]["result"] == answer["predictions"][0]["result"]
    assert curl(*post, service.url + VISUALIZE).stdout[:2] == b"\xff\xd8"
    assert json.loads(curl(service.url + "/models").stdout)["loaded_models"] == ["tiny", "小 模型"]


def test_the_openai_package_lists_models_and_gets_typed_errors(serve: Serve) -> None:
    service = serve(api_key="secret")
    with openai.OpenAI(base_url=service.url + "/v1", api_key="secret", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["tiny"]
        with pytest.raises(openai.NotFoundError) as missing:
            client.post("/vision/detections", body=_question("nothing"), cast_to=object)
        assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
        assert missing.value.type == "invalid_request_error"
        with pytest.raises(openai.BadRequestError) as bad:
            client.post("/vision/detections", body={"messages": []}, cast_to=object)
        assert bad.value.param == "messages"
        answer: Any = client.post("/vision/detections", body=_question("tiny"), cast_to=object)
        assert answer["object"] == "detection"
    with openai.OpenAI(base_url=service.url + "/v1", api_key="wrong", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError) as refused:
            stranger.models.list()
        assert refused.value.type == "authentication_error"


def _question(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"content": [{"type": "image_base64", "image_url": {"url": PLAIN}}]}]}


def test_a_deepstack_client_gets_its_answer(service: Service) -> None:
    """As deepstack-python asks: an unnamed file, an empty key, the confidence as text."""
    answer = requests.post(
        service.url + DEEPSTACK, files={"image": IMAGE}, data={"api_key": "", "min_confidence": 0.1}, timeout=10
    )
    body = answer.json()
    assert body["success"] is True
    assert answer.headers["x-prompts-token"] == "98"
    expected = service.detect({"type": "image_base64", "image_url": {"url": PLAIN}}, threshold=0.1).json()
    results = expected["predictions"][0]["result"]
    assert len(body["predictions"]) == len(results) > 0
    for told, result in zip(body["predictions"], results, strict=True):
        assert set(told) == {"label", "confidence", "x_min", "y_min", "x_max", "y_max"}
        assert (told["label"], told["confidence"]) == (result["label"], result["score"])
        assert [told[edge] for edge in ("x_min", "y_min", "x_max", "y_max")] == [int(edge) for edge in result["bbox"]]
    assert requests.post(service.url + DEEPSTACK, files={"image": IMAGE}, timeout=10).json()["predictions"] == []


@pytest.mark.parametrize("image", [PLAIN, f"data:image/jpeg;base64,{PLAIN}"])
def test_a_localai_client_gets_its_answer(service: Service, image: str) -> None:
    answer = requests.post(service.url + LOCALAI, json={"model": "tiny", "image": image, "threshold": 0.1}, timeout=10)
    assert answer.headers["x-prompts-token"] == "98"
    expected = service.detect({"type": "image_base64", "image_url": {"url": PLAIN}}, threshold=0.1).json()
    results = expected["predictions"][0]["result"]
    detections = answer.json()["detections"]
    assert len(detections) == len(results) > 0
    for told, result in zip(detections, results, strict=True):
        assert set(told) == {"x", "y", "width", "height", "confidence", "class_name"}
        xmin, ymin, xmax, ymax = result["bbox"]
        assert [told[key] for key in ("x", "y", "confidence", "class_name")] == [
            xmin,
            ymin,
            result["score"],
            result["label"],
        ]
        assert [told["width"], told["height"]] == pytest.approx([xmax - xmin, ymax - ymin], abs=1e-3)
