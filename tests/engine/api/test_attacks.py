"""What strangers try: private addresses, redirects, slow and endless bodies; a canary must see nothing."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from engine.image.fetch import fetch_url
from tests.engine.api.conftest import (
    DETECTIONS,
    LOCALAI,
    PREVIEW,
    Serve,
    Service,
    check_envelope,
    image_bytes,
    url_item,
)
from tests.engine.image.test_fetch import LOOPBACKS

REFUSALS = {400, 403, 502}
MEBIBYTE = 1 << 20


def ask_three_ways(service: Service, url: str) -> list[Any]:
    """Through a message, the preview, and LocalAI's door."""
    return [
        service.detect(url_item(url)),
        service.http.get(PREVIEW, params={"url": url}),
        service.http.post(LOCALAI, json={"image": url}),
    ]


def test_private_addresses_are_refused_however_written(service: Service, canary: Any) -> None:
    """FAULTS 16."""
    for host in LOOPBACKS.split():
        for answer in ask_three_ways(service, canary.url("/", host)):
            assert answer.status_code in REFUSALS, (host, answer.text)
            check_envelope(answer, answer.status_code)
    assert canary.hits == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
def test_the_common_ways_are_403(service: Service, canary: Any, host: str) -> None:
    assert [answer.status_code for answer in ask_three_ways(service, canary.url("/", host))] == [403] * 3
    assert canary.hits == []


@pytest.mark.parametrize("scheme", ["ftp", "file", "gopher", "HTTP+UNIX", "javascript", "data2"])
def test_other_schemes_and_hidden_hosts_are_400(service: Service, canary: Any, scheme: str) -> None:
    """FAULTS 19."""
    port = canary.port
    for url in (
        f"{scheme}://127.0.0.1:{port}/",
        f"http://example.com@127.0.0.1:{port}/",
        f"http:\\\\127.0.0.1:{port}\\",
    ):
        assert service.detect(url_item(url)).status_code == 400
        assert service.http.get(PREVIEW, params={"url": url}).status_code == 400
    assert canary.hits == []


def resolving(monkeypatch: pytest.MonkeyPatch, resolve: Any) -> None:
    """Let the server's fetches ask this resolver."""
    monkeypatch.setattr("engine.api.fetching.fetch_url", partial(fetch_url, resolve=resolve))


def test_a_name_that_resolves_to_loopback(
    service: Service, canary: Any, resolver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS 16."""
    for addresses in (["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["64:ff9b::7f00:1"]):
        resolving(monkeypatch, resolver(addresses))
        check_envelope(service.detect(url_item(canary.url("/", "evil.test"))), 403)
    assert canary.hits == []


def test_a_resolver_that_changes_its_answer(
    serve: Serve, canary: Any, resolver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS 18: the public address that was checked is the one that is connected to."""
    resolve = resolver(["192.0.2.9"], ["127.0.0.1"])
    monkeypatch.setattr("engine.image.fetch.is_public", lambda address: address == "192.0.2.9")
    resolving(monkeypatch, resolve)
    answer = serve(fetch_seconds=0.5).detect(url_item(canary.url("/", "evil.test")))
    assert answer.status_code in {502, 504}
    assert resolve.asked == ["evil.test"]
    assert canary.hits == []


@pytest.mark.parametrize(("hops", "status"), [(1, 403), (3, 403), (4, 502)])
def test_redirects_to_loopback(
    serve: Serve,
    site: Any,
    canary: Any,
    reply: Any,
    resolver: Any,
    monkeypatch: pytest.MonkeyPatch,
    hops: int,
    status: int,
) -> None:
    """FAULTS 17."""
    resolving(monkeypatch, resolver(["127.0.0.1"]))
    for hop in range(1, hops):
        site.pages[f"/{hop}"] = reply(b"", 302, Location=f"/{hop + 1}")
    site.pages[f"/{hops}"] = reply(b"", 302, Location=canary.url("/", "127.0.0.1"))
    service = serve(allow_image_hosts=("images.test",))
    check_envelope(service.detect(url_item(site.url("/1"))), status)
    assert canary.hits == []


@pytest.mark.parametrize(
    ("location", "status"),
    [("/loop", 502), ("file:///etc/passwd", 400), ("ftp://images.test/", 400), ("http://a@b", 400)],
)
def test_loops_and_other_schemes(
    serve: Serve, site: Any, reply: Any, resolver: Any, monkeypatch: pytest.MonkeyPatch, location: str, status: int
) -> None:
    """FAULTS 17."""
    resolving(monkeypatch, resolver(["127.0.0.1"]))
    site.pages["/loop"] = reply(b"", 302, Location=location)
    check_envelope(serve(allow_image_hosts=("images.test",)).detect(url_item(site.url("/loop"))), status)


def drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.05)


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(bytes(65536))


def test_bodies_that_drip_or_never_end_or_lie(serve: Serve, site: Any, reply: Any) -> None:
    """FAULTS 20, with the time cut to half a second and the size to a megabyte."""
    bomb = gzip.compress(bytes(50 * MEBIBYTE))
    site.pages |= {
        "/drip": drip,
        "/endless": endless,
        "/bomb": reply(bomb, Content_Encoding="gzip"),
        "/lie": reply(b"short", Content_Length=str(20)),
        "/huge": reply(b"", Content_Length=str(10**12)),
    }
    service = serve(allow_private_image_hosts=True, fetch_seconds=0.5, max_fetch_bytes=MEBIBYTE)
    for path, statuses in {
        "/drip": {504},
        "/endless": {413},
        "/bomb": {413},
        "/lie": {502, 504},
        "/huge": {413},
    }.items():
        started = time.monotonic()
        answer = service.detect(url_item(site.url(path, "127.0.0.1")))
        assert answer.status_code in statuses, path
        check_envelope(answer, answer.status_code)
        assert time.monotonic() - started < 3
    site.pages["/good"] = reply(image_bytes())
    assert service.detect(url_item(site.url("/good", "127.0.0.1"))).status_code == 200


def test_a_declared_body_over_the_limit_is_413(service: Service) -> None:
    """FAULTS 15: 33 MiB, declared."""
    answer = service.http.post(DETECTIONS, content=bytes(33 * MEBIBYTE))
    assert "32 MiB" in check_envelope(answer, 413)["message"]


def test_a_chunked_body_over_the_limit_is_413(serve: Serve) -> None:
    """FAULTS 15: counted as it streams."""
    service = serve(max_body_bytes=MEBIBYTE)
    chunk = bytes(MEBIBYTE // 4)
    check_envelope(service.http.post(DETECTIONS, content=(chunk for _ in range(5))), 413)
    assert service.http.post(DETECTIONS, content=(chunk for _ in range(4))).status_code == 400


def raw(service: Service, data: bytes, seconds: float = 5.0) -> bytes:
    """What the server answers to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", service.server.port), timeout=seconds) as connection:
        connection.sendall(data)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def test_a_lying_content_length(service: Service) -> None:
    """FAULTS 15: more than declared is another request's beginning, which is none; huge numbers are refused."""
    head = f"POST {DETECTIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    spoofed = raw(service, f"{head}4\r\n\r\n".encode() + b"x" * 1000 + b"\r\n\r\n")
    assert spoofed.startswith(b"HTTP/1.1 400")
    assert spoofed.count(b"HTTP/1.1 ") <= 2
    huge = raw(service, f"{head}99999999999999\r\n\r\n{{}}".encode(), 8)
    assert huge.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "data", [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"]
)
def test_bytes_that_are_no_http_get_the_envelope(service: Service, data: bytes) -> None:
    head, _, body = raw(service, data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["error"]["code"] == "bad_http"


def test_many_large_bodies_at_once_are_bounded(serve: Serve) -> None:
    """Clients that hold their bodies open do not fill the memory: the seventeenth large one is told to come back."""
    service = serve(max_body_bytes=200_000)
    head = f"POST {DETECTIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 199999\r\n\r\n".encode()
    held = []
    for _ in range(17):
        connection = socket.create_connection(("127.0.0.1", service.server.port))
        connection.sendall(head + b" " * 199_000)
        held.append(connection)
    time.sleep(0.3)
    answer = service.detect(url_item("http://[::1]/" + "a" * 2000))
    check_envelope(answer, 503)
    assert answer.headers["retry-after"]
    for connection in held:
        connection.close()
    time.sleep(0.3)
    check_envelope(service.detect(url_item("http://[::1]/")), 403)


def test_two_host_headers_are_refused(service: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.server.port, timeout=5)
    connection.putrequest("GET", "/health", skip_host=True)
    for host in ("localhost", "evil.example"):
        connection.putheader("Host", host)
    connection.endheaders()
    assert connection.getresponse().status in {400, 421}
    connection.close()
