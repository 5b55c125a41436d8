"""Key, host, origin: who may ask."""

from __future__ import annotations

import socket
from typing import Any

import pytest

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
)

KEY = "schlüssel-秘密-1"
IMAGE = image_bytes()
CLOSED = [("GET", PREVIEW), ("GET", "/models"), ("GET", "/v1/models"), ("GET", "/metrics"), ("GET", "/nothing")]
CLOSED += [("POST", path) for path in (DETECTIONS, VISUALIZE, DEEPSTACK, LOCALAI)]


@pytest.fixture(scope="module")
def keyed(tiny_detr: Any) -> Any:
    from engine.settings import Settings

    service = Service(Settings(models=(f"tiny={tiny_detr}",), api_key=KEY))
    yield service
    service.stop()


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}".encode()}]
    + [{"x-api-key": "wrong"}, {"x-api-key": KEY[:-1].encode()}, {"Authorization": f"Bearer {KEY}x".encode()}],
    ids=str,
)
def test_without_the_key_nothing_is_told(keyed: Service, method: str, path: str, headers: Any) -> None:
    files = {"image": IMAGE} if path == DEEPSTACK else None
    answer = keyed.http.request(method, path, headers=headers, files=files)
    error = check_envelope(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert error["type"] == "authentication_error"
    assert KEY not in answer.text


@pytest.mark.parametrize(
    "headers", [{"Authorization": f"Bearer {KEY}".encode()}, {"authorization": f"bearer {KEY}".encode()}]
    + [{"X-API-Key": KEY.encode()}],
)  # fmt: skip
def test_with_the_key_it_is_answered(keyed: Service, headers: Any) -> None:
    assert keyed.http.get("/models", headers=headers).status_code == 200
    assert keyed.http.post(DEEPSTACK, files={"image": IMAGE}, headers=headers).status_code == 200


def test_deepstacks_key_is_in_the_form(keyed: Service) -> None:
    assert keyed.http.post(DEEPSTACK, files={"image": IMAGE}, data={"api_key": KEY}).status_code == 200
    check_envelope_with_success(keyed.http.post(DEEPSTACK, files={"image": IMAGE}, data={"api_key": "no"}))


def check_envelope_with_success(answer: Any) -> None:
    check_envelope(answer, 401)
    assert answer.json()["success"] is False


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/openapi.json"])
def test_what_holds_no_user_data_is_open(keyed: Service, path: str) -> None:
    assert keyed.http.get(path).status_code == 200


def test_the_key_is_never_logged(keyed: Service, caplog: pytest.LogCaptureFixture) -> None:
    keyed.http.get(f"/models?key={KEY}", headers={"x-api-key": KEY.encode()})
    assert KEY not in caplog.text
    assert KEY not in str(keyed.records)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:9999", "localhost", "LocalHost:1", "localhost.", "[::1]:80", "[::1]", "192.168.1.7:8080"]
    + [socket.gethostname(), "box.example"],
)
def test_hosts_that_are_ours(serve: Serve, host: str) -> None:
    assert serve(allow_hosts=("Box.example",)).http.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1:80:80",
        "@",
        "::1",
    ]
    + ["localhost:x", "[::1", "127.1", "2130706433", "user@localhost", "box.example,localhost"],
)
def test_a_foreign_host_is_421(service: Service, host: str) -> None:
    """FAULTS 21: DNS rebinding."""
    for path in ("/health", "/docs", "/models"):
        check_envelope(service.http.get(path, headers={"Host": host}), 421)


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1", "null", "", "http://127.0.0.1:1"])
def test_a_foreign_origin_is_403_and_gets_no_cors(service: Service, origin: str) -> None:
    """FAULTS 21."""
    answer = service.http.post(DETECTIONS, json={}, headers={"Origin": origin})
    assert check_envelope(answer, 403)["code"] == "origin_refused"
    assert "access-control-allow-origin" not in answer.headers
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    check_envelope(service.http.options(DETECTIONS, headers=asked), 403)


def test_pages_of_our_own_may_ask(service: Service) -> None:
    assert service.http.get("/models", headers={"Origin": service.url}).status_code == 200


@pytest.mark.parametrize("allowed", ["https://App.example", "https://app.example/", "*"])
def test_a_listed_origin_gets_its_cors(serve: Serve, allowed: str) -> None:
    service = serve(allow_origins=(allowed,), api_key=KEY)
    origin = {"Origin": "https://app.example"}
    preflight = service.http.options(DETECTIONS, headers=origin | {"Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 204
    assert "X-Detr-Threshold" in preflight.headers["access-control-allow-headers"]
    body = {"messages": [{"content": [base64_item(IMAGE)]}]}
    for key, status in (({"x-api-key": KEY.encode()}, 200), ({}, 401)):
        answer = service.http.post(DETECTIONS, json=body, headers=origin | key)  # type: ignore[arg-type]
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "X-Prompts-Token" in answer.headers["access-control-expose-headers"]
        assert answer.headers["vary"] == "Origin"
    drawn = service.http.post(VISUALIZE, json=body, headers=origin | {"x-api-key": KEY.encode()})  # type: ignore[arg-type]
    assert drawn.headers["vary"] == "Accept, Origin"


@pytest.mark.parametrize(
    ("fetch", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 400),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"}, 400),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 400),
    ],
)
def test_a_preview_in_another_sites_page_is_refused_a_pasted_link_opens(
    service: Service, fetch: dict[str, str], status: int
) -> None:
    """FAULTS 21; what is let through here has no image, which is a 400."""
    check_envelope(service.http.get(PREVIEW, headers=fetch), status)
