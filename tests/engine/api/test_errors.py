"""What is refused, each with its status, in the envelope, and with no harm to the next request."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.errors import SourceError
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
)

IMAGE = image_bytes()
ITEM = base64_item(IMAGE)


def asking(content: Any, **body: Any) -> dict[str, Any]:
    return {"messages": [{"content": content}], **body}


BAD_BODIES = {
    "no messages": {},
    "empty messages": {"messages": []},
    "messages is a text": {"messages": "x" * 1_000_000},
    "message is a number": {"messages": [3]},
    "no content": {"messages": [{"role": "user"}]},
    "empty content": asking([]),
    "content is a text": asking("an image, please"),
    "item is a text": asking(["x"]),
    "no image": asking([{"type": "text", "text": "hello"}]),
    "type without payload": asking([{"type": "image_url"}]),
    "other type without payload": asking([{"type": "image_base64", "image_url": {}}]),
    "payload is a text": asking([{"type": "image_url", "image_url": "http://example.com/a.jpg"}]),
    "url is a number": asking([{"type": "image_url", "image_url": {"url": 3}}]),
    "top_k 0": asking([ITEM], top_k=0),
    "top_k -1": asking([ITEM], top_k=-1),
    "top_k 1.5": asking([ITEM], top_k=1.5),
    "top_k text": asking([ITEM], top_k="5"),
    "top_k true": asking([ITEM], top_k=True),
    "threshold -1": asking([ITEM], threshold=-1),
    "threshold 2": asking([ITEM], threshold=2),
    "threshold text": asking([ITEM], threshold="0.5"),
    "threshold true": asking([ITEM], threshold=True),
    "labels text": asking([ITEM], labels="cat"),
    "label unknown": asking([ITEM], labels=["cat", "unicorn"]),
    "model is a list": asking([ITEM], model=["tiny"]),
    "bad base64": asking([{"type": "image_base64", "image_url": {"url": "not base64!"}}]),
    "base64 cut": asking([{"type": "image_base64", "image_url": {"url": "QUJDR"}}]),
    "data URI without a comma": asking([url_item("data:image/png;base64")]),
    "ftp": asking([url_item("ftp://example.com/a.jpg")]),
    "file": asking([url_item("file:///etc/passwd")]),
    "path": asking([url_item("/etc/passwd")]),
    "relative path": asking([url_item("../x")]),
    "NUL": asking([url_item("http://exa\0mple.com/")]),
    "user name": asking([url_item("http://user@example.com/a.jpg")]),
    "password": asking([url_item("http://user:secret@example.com/a.jpg")]),
    "backslash": asking([url_item("http://example.com\\@127.0.0.1/a.jpg")]),
    "empty url": asking([url_item("")]),
    "long url": asking([url_item("http://example.com/" + "a" * 9000)]),
    "path as base64": asking([{"type": "image_base64", "image_url": {"url": "/etc/passwd."}}]),
}
BAD_TEXTS = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "NaN": json.dumps(asking([ITEM], threshold=float("nan"))).encode(),
    "infinity": json.dumps(asking([ITEM], threshold=float("inf"))).encode(),
    "1e999": json.dumps(asking([ITEM])).encode()[:-1] + b', "threshold": 1e999}',
    "100,000 deep": b"[" * 100_000,
    "deep inside": b'{"messages": ' + b"[" * 100_000,
    "lone surrogate": b'{"model": "\\ud800", "messages": []}',
    "invalid UTF-8": b'{"model": "\xff"}',
    "huge whole number": json.dumps(asking([ITEM])).encode()[:-1] + b', "top_k": -' + b"9" * 5000 + b"}",
}


@pytest.fixture(autouse=True)
def unharmed(shared_service: Service) -> Iterator[None]:
    """After each test the next good request gives the same boxes as before."""
    before = shared_service.detect(ITEM, threshold=0.0).json()["predictions"][0]["result"]
    yield
    assert shared_service.detect(ITEM, threshold=0.0).json()["predictions"][0]["result"] == before


@pytest.mark.parametrize("path", [DETECTIONS, VISUALIZE])
def test_bodies_that_make_no_sense_are_400(service: Service, path: str) -> None:
    """FAULTS 11, 12, 13, 19."""
    for name, body in BAD_BODIES.items():
        answer = service.http.post(path, json=body)
        assert answer.status_code == 400, (name, answer.text)
        check_envelope(answer, 400)
        assert "xxxxx" not in answer.text
        assert "passwd" not in answer.text


def test_texts_that_are_no_object_are_400(service: Service) -> None:
    """FAULTS 13, 14."""
    for name, body in BAD_TEXTS.items():
        answer = service.http.post(DETECTIONS, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, (name, answer.text)
        check_envelope(answer, 400)


@pytest.mark.parametrize("value", ["-1", "2", "nan", "NaN", "inf", "-Infinity", "1e999", "1.0000001"])
def test_a_threshold_out_of_range_is_400(service: Service, value: str) -> None:
    """FAULTS 13, in the header, the form and the query."""
    error = check_envelope(service.detect(ITEM, headers={"X-Detr-Threshold": value}), 400)
    assert error["param"] == "X-Detr-Threshold"
    upload = service.http.post(DETECTIONS, files={"file": IMAGE}, data={"threshold": value})
    assert check_envelope(upload, 400)["param"] == "threshold"
    check_envelope(service.http.get(PREVIEW, params={"url": "http://example.com", "threshold": value}), 400)


def test_the_param_names_the_place(service: Service) -> None:
    error = check_envelope(service.http.post(DETECTIONS, json=asking([ITEM, {"type": "image_url"}])), 400)
    assert error["param"] == "messages.content.1.image_url"
    assert check_envelope(service.detect(ITEM, top_k=0), 400)["param"] == "top_k"


@pytest.mark.parametrize(
    "query", [{}, {"url": ""}, {"url": "http://a.test", "top_k": "0"}, {"url": "x", "top_k": "1.5"}]
)
def test_a_preview_that_makes_no_sense_is_400(service: Service, query: dict[str, str]) -> None:
    check_envelope(service.http.get(PREVIEW, params=query), 400)


@pytest.mark.parametrize(
    "name", ["nothing", "../x", "/etc", "a\0b", "~root", "模型", "x" * 5000, ".", "resources/starter", "%2e%2e%2fx"]
)
def test_an_unknown_model_is_404_naming_those_there_are_and_touching_no_path(
    service: Service, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS 12."""
    monkeypatch.setattr("engine.models.catalog.catalog.Catalog.admit", lambda *_: pytest.fail("a path was looked at"))
    error = check_envelope(service.detect(ITEM, model=name), 404)
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "tiny, 小 模型" in error["message"]
    assert "xxxx" not in error["message"]


def test_the_path_of_a_served_model_is_no_name(service: Service, tiny_detr: Path) -> None:
    check_envelope(service.detect(ITEM, model=str(tiny_detr)), 404)
    check_envelope(service.detect(ITEM, headers={"X-Model": str(tiny_detr)}), 404)
    assert "tiny-detr" not in service.engine.catalog.names


def _png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims a size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 415, "image_empty"),
        (b"hello", 415, "not_an_image"),
        (b"<html><body>404</body></html>", 415, "not_an_image"),
        (IMAGE[: len(IMAGE) // 2], 422, "image_truncated"),
        (image_bytes(format="PNG")[:-200], 422, "image_truncated"),
        (image_bytes(format="WEBP")[:-200], 422, "image_truncated"),
        (_png(40_000, 40_000), 413, "too_many_pixels"),
    ],
)
def test_bytes_that_are_no_whole_image(service: Service, data: bytes, status: int, code: str) -> None:
    """FAULTS 1, 2, 3, through both ways in."""
    for answer in (
        service.detect(base64_item(data) if data else url_item("data:,")),
        service.http.post(DETECTIONS, files={"file": data}),
        service.http.post(DEEPSTACK, files={"image": data}),
    ):
        assert check_envelope(answer, status)["code"] == code


def test_a_pixel_bomb_takes_no_memory(service: Service) -> None:
    """FAULTS 3."""
    import psutil

    process = psutil.Process()
    service.detect(base64_item(_png(40_000, 40_000)))
    before = process.memory_info().rss
    for _ in range(5):
        check_envelope(service.detect(base64_item(_png(40_000, 40_000))), 413)
    assert process.memory_info().rss - before < 50e6


def test_pixels_images_and_bytes_over_the_limit_name_it(serve: Serve) -> None:
    """FAULTS 4."""
    service = serve(max_pixels=320 * 240, max_images=2, max_fetch_bytes=100_000)
    assert service.detect(ITEM, ITEM).status_code == 200
    assert "2 images" in check_envelope(service.detect(ITEM, ITEM, ITEM), 413)["message"]
    assert "megapixels" in check_envelope(service.detect(base64_item(image_bytes(0, (320, 241)))), 413)["message"]
    big = io.BytesIO()
    Image.effect_noise((200, 200), 99).convert("RGB").save(big, "BMP")
    assert "MiB" in check_envelope(service.detect(base64_item(big.getvalue())), 413)["message"]


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (3, 1000), (20000, 1)])
def test_odd_sizes_are_answered_with_boxes_inside(service: Service, size: tuple[int, int]) -> None:
    """FAULTS 5."""
    prediction = service.detect(base64_item(image_bytes(0, size, "PNG")), threshold=0.0).json()["predictions"][0]
    width, height = size
    assert len(prediction["result"]) == 12
    for result in prediction["result"]:
        xmin, ymin, xmax, ymax = result["bbox"]
        assert 0 <= xmin <= xmax <= width
        assert 0 <= ymin <= ymax <= height


@pytest.mark.parametrize(
    ("code", "status"),
    [("url_refused", 403), ("too_many_bytes", 413), ("host_not_found", 502), ("fetch_failed", 502)]
    + [("too_many_redirects", 502), ("fetch_timeout", 504), ("url_not_http", 400)],
)
def test_what_can_go_wrong_with_a_url(
    service: Service, code: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise SourceError(code, "It went wrong.")

    monkeypatch.setattr("engine.api.fetching.fetch_url", fail)
    assert check_envelope(service.detect(url_item("http://example.com/a.jpg")), status)["code"] == code
    check_envelope(service.http.get(PREVIEW, params={"url": "http://example.com/a.jpg"}), status)
    check_envelope(service.http.post(LOCALAI, json={"image": "http://example.com/a.jpg"}), status)


FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nabc",
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny\r\n--b--\r\n',
        b"--c\r\n\r\n--c--",
        b"--b\r\n" + b"x" * 10_000,
        b"--b\r\n" + b"a: b\r\n" * 100,
    ],
)
@pytest.mark.parametrize("path", [DETECTIONS, DEEPSTACK])
def test_forms_that_make_no_sense_are_400(service: Service, path: str, body: bytes) -> None:
    check_envelope(service.http.post(path, content=body, headers=FORM), 400)


def test_a_form_of_many_parts_is_refused(service: Service) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
    check_envelope(service.http.post(DETECTIONS, content=part * 1000 + b"--b--\r\n", headers=FORM), 413)


def test_what_is_no_form_at_all(service: Service) -> None:
    check_envelope(service.http.post(DEEPSTACK, json={}), 400)
    check_envelope(service.http.post(DETECTIONS, headers={"Content-Type": "multipart/form-data"}), 400)


def test_deepstacks_errors_say_success_false(service: Service) -> None:
    for answer in (
        service.http.post(DEEPSTACK, json={}),
        service.http.post(DEEPSTACK, files={"image": b"no"}),
        service.http.post(DEEPSTACK, files={"image": IMAGE}, headers={"Host": "evil.example"}),
    ):
        assert answer.json()["success"] is False
