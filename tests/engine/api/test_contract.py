"""Every row of the contract, over real HTTP."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from engine.detect.detection import Filter
from engine.image.fetch_policy import FetchPolicy
from tests.engine.api.conftest import (
    DEEPSTACK,
    DETECTIONS,
    LOCALAI,
    PREVIEW,
    VISUALIZE,
    Serve,
    Service,
    base64_item,
    check_envelope,
    image_bytes,
    url_item,
    wait_until,
)

IMAGE = image_bytes()
ITEM = base64_item(IMAGE)
LOW = {"X-Detr-Threshold": "0.05"}


def data_uri(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def test_the_answer_has_the_fixed_keys_and_the_engines_values(service: Service) -> None:
    answer = service.detect(ITEM, headers=LOW, top_k=3, model="tiny")
    assert answer.status_code == 200
    assert answer.headers["x-prompts-token"] == "98"
    body = answer.json()
    assert [body[key] for key in ("object", "model", "top_k", "threshold")] == ["detection", "tiny", 3, 0.05]
    (prediction,) = body["predictions"]
    assert prediction["index"] == 0
    assert (prediction["width"], prediction["height"], prediction["tokens"]) == (320, 240, 98)
    assert set(prediction["timing_ms"]) == {"fetch", "decode", "queue", "model"}
    found = service.engine.detect(IMAGE, "tiny").keep(Filter(threshold=0.05, top_k=3))
    assert len(found) == 3
    for result, expected in zip(prediction["result"], found, strict=True):
        assert set(result) == {"score", "label_id", "label", "bbox"}
        assert result["score"] == pytest.approx(expected.score, abs=1e-4)
        assert (result["label_id"], result["label"]) == (expected.label_id, expected.label)
        assert result["bbox"] == pytest.approx(expected.box, abs=0.5)


def test_every_image_of_the_last_message_is_answered_in_order(service: Service) -> None:
    sizes = [(64, 48), (96, 60), (50, 200)]
    text = {"type": "text", "text": "what is this?"}
    items = [text, *(base64_item(image_bytes(at, size)) for at, size in enumerate(sizes)), {"type": "audio"}]
    earlier = [{"role": "system", "content": "be brief"}, {"role": "user", "content": [ITEM]}]
    answer = service.http.post(DETECTIONS, json={"messages": [*earlier, {"role": "user", "content": items}]})
    body = answer.json()
    assert [each["index"] for each in body["predictions"]] == [0, 1, 2]
    assert [(each["width"], each["height"]) for each in body["predictions"]] == sizes
    assert answer.headers["x-prompts-token"] == str(sum(max(1, int(w * h / 784 + 0.5)) for w, h in sizes))


def test_the_default_threshold_is_nine_tenths_and_not_counted_in(service: Service) -> None:
    assert service.detect(ITEM).json()["threshold"] == 0.9
    best = service.detect(ITEM, threshold=0.0).json()["predictions"][0]["result"][0]["score"]
    again = service.detect(ITEM, threshold=best).json()["predictions"][0]["result"]
    assert all(result["score"] > best for result in again)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("0.25", 0.25), ("abc", 0.3), ("", 0.3), ("0,5", 0.3), ("1_0", 0.3), ("1", 1.0), ("0", 0.0)],
)
def test_the_threshold_header_wins_and_text_counts_as_absent(service: Service, header: str, expected: float) -> None:
    assert service.detect(ITEM, headers={"X-Detr-Threshold": header}, threshold=0.3).json()["threshold"] == expected


@pytest.mark.parametrize("name", ["小 模型".encode(), quote("小 模型").encode(), b"tiny"])
def test_the_model_header_is_utf8_or_percent_encoded_and_wins(service: Service, name: bytes) -> None:
    headers = [(b"X-Model", name), (b"Content-Type", b"application/json")]
    question = json.dumps({"model": "nothing", "messages": [{"content": [ITEM]}]})
    answer = service.http.post(DETECTIONS, content=question, headers=headers)
    assert answer.json()["model"] == ("tiny" if name == b"tiny" else "小 模型")


def test_neither_named_is_the_first_model(service: Service) -> None:
    assert service.detect(ITEM, headers={"X-Model": ""}).json()["model"] == "tiny"


def test_labels_come_before_threshold_and_top_k(service: Service) -> None:
    everything = service.detect(ITEM, threshold=0.0).json()["predictions"][0]["result"]
    label = everything[-1]["label"]
    expected = [result for result in everything if result["label"] == label][:1]
    assert service.detect(ITEM, threshold=0.0, labels=[label], top_k=1).json()["predictions"][0]["result"] == expected
    assert service.detect(ITEM, threshold=0.0, labels=[]).json()["predictions"][0]["result"] == []


def test_base64_data_uri_url_and_upload_give_the_same(
    serve: Serve, site: Any, reply: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(allow_image_hosts=("127.0.0.1",))
    site.pages["/a.jpg"] = reply(IMAGE)
    plain = base64.b64encode(IMAGE).decode()
    items = [
        ITEM,
        base64_item(IMAGE) | {"image_url": {"url": data_uri(IMAGE)}},
        url_item(data_uri(IMAGE)),
        url_item(data_uri(IMAGE).replace("data:image/jpeg;", "DATA:image/jpeg;name=a.jpg;")),
        {"type": "image_base64", "image_url": {"url": plain[:40] + "\n " + plain[40:].rstrip("=")}},
        url_item(site.url("/a.jpg", "127.0.0.1")),
    ]
    answers = [service.detect(item, headers=LOW) for item in items]
    answers.append(service.http.post(DETECTIONS, files={"file": IMAGE}, data={"threshold": "0.05"}))
    results = [answer.json()["predictions"][0]["result"] for answer in answers]
    assert results[0]
    assert all(result == results[0] for result in results)


def test_several_uploads_with_fields(service: Service) -> None:
    files = [("file", ("a.jpg", IMAGE)), ("file", ("b.png", image_bytes(1, (40, 30), "PNG")))]
    fields = {"model": "小 模型", "threshold": "0", "top_k": "2"}
    body = service.http.post(DETECTIONS, files=files, data=fields).json()
    assert (body["model"], body["threshold"], body["top_k"]) == ("小 模型", 0.0, 2)
    assert [(each["width"], len(each["result"])) for each in body["predictions"]] == [(320, 2), (40, 2)]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", "jpeg"), ("image/png", "png"), ("image/jpeg, image/png;q=0.5", "jpeg"), ("image/png;q=0", "jpeg")],
)
def test_visualize_draws_on_the_last_image_at_its_own_size(service: Service, accept: str, kind: str) -> None:
    question = {"messages": [{"content": [base64_item(image_bytes(1, (64, 48))), ITEM]}]}
    answer = service.http.post(VISUALIZE, json=question, headers=LOW | {"Accept": accept})
    assert answer.headers["content-type"] == f"image/{kind}"
    assert answer.headers["x-prompts-token"] == "102"
    with Image.open(io.BytesIO(answer.content)) as drawn, Image.open(io.BytesIO(IMAGE)) as plain:
        assert drawn.size == (320, 240)
        assert drawn.convert("RGB").tobytes() != plain.tobytes()


def test_preview_draws_the_image_behind_a_url(serve: Serve, site: Any, reply: Any) -> None:
    service = serve(allow_private_image_hosts=True)
    site.pages["/a.jpg"] = reply(IMAGE)
    query: dict[str, Any] = {"url": site.url("/a.jpg", "127.0.0.1"), "threshold": 0.01}
    ten, one = (service.http.get(PREVIEW, params=query | more) for more in ({}, {"top_k": 1, "model": "tiny"}))
    assert ten.headers["content-type"] == "image/jpeg"
    assert ten.headers["x-prompts-token"] == "98"
    assert ten.content != one.content
    assert Image.open(io.BytesIO(ten.content)).size == (320, 240)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_exif_rotation_is_applied(service: Service, orientation: int) -> None:
    """FAULTS 6: sizes as shown."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = image_bytes(3, (80, 40), exif=exif)
    prediction = service.detect(base64_item(turned)).json()["predictions"][0]
    assert (prediction["width"], prediction["height"]) == ((80, 40) if orientation < 5 else (40, 80))


def test_models_in_both_shapes(service: Service) -> None:
    assert service.http.get("/models").json() == {"loaded_models": ["tiny", "小 模型"]}
    listed = service.http.get("/v1/models").json()
    assert listed["object"] == "list"
    assert [entry["id"] for entry in listed["data"]] == ["tiny", "小 模型"]
    assert all(set(entry) == {"id", "object", "created", "owned_by"} for entry in listed["data"])


def test_without_named_models_the_catalog_is_served(serve: Serve, tiny_detr: Path) -> None:
    service = serve(models=(), model=str(tiny_detr))
    assert service.detect(ITEM).json()["model"] == "tiny-detr"
    assert set(service.http.get("/models").json()["loaded_models"]) == {"starter", "tiny-detr"}


def test_the_window_says_which_model_is_the_default(serve: Serve, tiny_detr: Path) -> None:
    selected = ["tiny-detr"]
    service = serve({"default_model": lambda: selected[0]}, models=(), model=str(tiny_detr))
    service.engine.load()
    assert service.detect(ITEM).json()["model"] == "tiny-detr"
    selected[0] = "gone"
    check_envelope(service.detect(ITEM), 404)


def test_the_window_sees_what_clients_send(serve: Serve) -> None:
    seen: list[Any] = []
    service = serve({"answered": lambda *told: seen.append(told)})
    service.detect(ITEM, top_k=2, threshold=0.1)
    ((image, found, chosen),) = seen
    assert (image.pixels.size, len(found), chosen) == ((320, 240), 12, Filter(None, 0.1, 2))


def test_health_tells_models_and_device_and_no_paths(service: Service) -> None:
    answer = service.http.get("/health")
    body = answer.json()
    assert (body["status"], body["device"]) == ("ok", "cpu")
    assert body["model"]["tiny"] == {"loaded": True, "family": "detr", "classes": 3, "runtime": "torch"}
    assert "/" not in answer.text.replace("\\/", "")


def test_health_is_503_when_no_model_can_answer(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    service = serve(models=(str(tmp_path / "empty"),))
    error = check_envelope(service.http.get("/health"), 503)
    assert "config.json is missing" in error["message"]
    answer = service.detect(ITEM)
    assert check_envelope(answer, 503)["type"] == "server_error"


def test_metrics_count_requests_stages_images_and_tokens(serve: Serve) -> None:
    service = serve()
    service.detect(ITEM)
    service.detect(ITEM, model="nothing")
    service.http.post(VISUALIZE, json={"messages": [{"content": [ITEM]}]})
    service.http.get("/a/path/of/my/own")
    text = service.http.get("/metrics").text
    for line in (
        f'detrdesk_requests_total{{endpoint="{DETECTIONS}",status="200"}} 1.0',
        f'detrdesk_requests_total{{endpoint="{DETECTIONS}",status="404"}} 1.0',
        'detrdesk_requests_total{endpoint="other",status="404"} 1.0',
        'detrdesk_stage_seconds_count{stage="model"} 2.0',
        'detrdesk_stage_seconds_count{stage="encode"} 1.0',
        "detrdesk_queue_depth 0.0",
        "detrdesk_images_total 2.0",
        "detrdesk_tokens_total 196.0",
    ):
        assert line in text.splitlines()


def test_the_document_is_complete(service: Service) -> None:
    document = service.http.get("/openapi.json").json()
    paths = {DETECTIONS, VISUALIZE, PREVIEW, DEEPSTACK, LOCALAI, "/models", "/v1/models", "/health", "/metrics"}
    assert paths <= set(document["paths"])
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert reference in document["components"]["schemas"]
    post = document["paths"][DETECTIONS]["post"]
    assert {"200", "400", "401", "403", "404", "413", "415", "421", "422", "502", "503", "504"} <= set(
        post["responses"]
    )
    assert document["components"]["schemas"]["DetectionRequest"]["examples"]


@pytest.mark.parametrize(("path", "asks"), [("/docs", "/openapi.json"), ("/", "/v1/vision/detections")])
def test_the_pages_ask_nobody_else(service: Service, path: str, asks: str) -> None:
    page = service.http.get(path)
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert f'("{asks}"' in page.text
    assert "//" not in page.text.replace('"http://www.w3.org/2000/svg"', "")
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_the_request_id_is_taken_and_returned_and_logged(serve: Serve) -> None:
    service = serve()
    answer = service.detect(ITEM, headers={"X-Request-Id": "order-7"})
    assert answer.headers["x-request-id"] == "order-7"
    made = service.http.get("/models", headers={"X-Request-Id": "with a\ttab"}).headers["x-request-id"]
    assert len(made) == 32
    wait_until(lambda: len(service.records) == 2)
    record, other = service.records
    assert (record.method, record.path, record.status, record.request_id) == ("POST", DETECTIONS, 200, "order-7")
    assert (record.images, record.tokens, record.client) == (1, 98, "127.0.0.1")
    assert record.ms > 0
    assert other.request_id == made


def test_the_policy_of_image_urls_is_that_of_the_settings(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    policies: list[FetchPolicy] = []

    def fetch(url: str, policy: FetchPolicy, **options: Any) -> bytes:
        policies.append(policy)
        return IMAGE

    monkeypatch.setattr("engine.api.fetching.fetch_url", fetch)
    serve().detect(url_item("http://images.example.com/a.jpg"))
    serve(allow_image_hosts=("NAS",), max_fetch_bytes=10**6, fetch_seconds=3).detect(url_item("http://nas/a.jpg"))
    assert policies[0] == FetchPolicy(False, frozenset(), False, 32 << 20, 10.0, 3)
    assert policies[1] == FetchPolicy(False, frozenset({"nas"}), False, 10**6, 3.0, 3)


def test_unknown_paths_and_methods_are_told_in_the_envelope(service: Service) -> None:
    check_envelope(service.http.get("/nothing"), 404)
    answer = service.http.get(DETECTIONS)
    check_envelope(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_a_bug_is_a_500_in_the_envelope_and_in_the_log(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("engine.api.work.decode_with_warnings", lambda *_: 1 / 0)
    error = check_envelope(service.detect(ITEM), 500)
    assert error["type"] == "server_error"
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    assert service.detect(ITEM).status_code == 200


def test_what_is_wrong_with_an_image_is_told(service: Service) -> None:
    data = image_bytes(size=(320, 480), restart_marker_rows=1)
    places = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    holed = data[: places[3]] + data[places[5] :]
    assert "warnings" not in service.detect(ITEM, model="tiny").json()
    [warning] = service.detect(ITEM, base64_item(holed), model="tiny").json()["warnings"]
    assert (warning["index"], warning["code"]) == (1, "image_damaged")
    check_envelope(service.detect(base64_item(data[: places[12]] + b"\xff\xd9"), model="tiny"), 422)


@pytest.mark.parametrize(
    "data", [b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", b"\xff\x0a" + bytes(50)]
)
def test_known_kinds_that_are_not_read_are_unsupported(service: Service, data: bytes) -> None:
    check_envelope(service.detect(base64_item(data), model="tiny"), 415)
