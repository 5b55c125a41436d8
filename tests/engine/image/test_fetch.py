"""Fetching images, and the guard against private addresses."""

from __future__ import annotations

import gc
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from engine.errors import CancelledError, ImageError, SourceError
from engine.image.decode import decode_image
from engine.image.fetch import fetch_url
from engine.image.fetch_policy import FetchPolicy

ALLOWED = FetchPolicy(allowed_hosts=frozenset({"images.test"}), seconds=5.0)
HURRIED = FetchPolicy(allowed_hosts=frozenset({"images.test"}), seconds=0.6)


LOOPBACKS = """
127.0.0.1 127.1 0 0x7f000001 2130706433 0177.0.0.1 0x7f.1 localhost localhost. LOCALHOST [::1] [::ffff:127.0.0.1]
[::ffff:7f00:1] [::] 0.0.0.0 127.0.0.1. [::1%25lo] [fe80::1%25lo] 169.254.169.254 10.0.0.1 100.64.0.1
[64:ff9b::7f00:1] [2002:7f00:1::] 224.0.0.1 １２７.０.０.１ ①②⑦.⓪.⓪.①
"""


@pytest.fixture
def local(resolver: Any) -> Any:
    """A resolver to whom every name is this machine."""
    return resolver(["127.0.0.1"])


def code_of(url: str, policy: FetchPolicy = ALLOWED, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        fetch_url(url, policy, **options)
    assert caught.value.message.endswith(".")
    return caught.value.code


def test_a_body_is_fetched_under_the_name_of_its_host(site: Any, reply: Any, local: Any) -> None:
    site.pages["/a.jpg"] = reply(b"image")
    assert fetch_url(site.url("/a.jpg?x=1#part"), ALLOWED, local) == b"image"
    assert site.hits == ["/a.jpg?x=1"]
    assert site.hosts == [f"images.test:{site.port}"]


def test_the_lan_can_be_allowed_as_a_whole(site: Any, reply: Any) -> None:
    site.pages["/a.jpg"] = reply(b"image")
    assert fetch_url(site.url("/a.jpg", "127.0.0.1"), FetchPolicy(allow_private=True)) == b"image"


@pytest.mark.parametrize(
    "host",
    LOOPBACKS.split(),
)
def test_private_addresses_are_refused_however_written(canary: Any, host: str) -> None:
    """FAULTS 16: every way to write a private address; the canary sees nothing."""
    code = code_of(canary.url("/", host), FetchPolicy(seconds=5.0))
    assert code in {"url_refused", "host_not_found", "url_not_http"}
    assert canary.hits == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "localhost", "[::ffff:127.0.0.1]"])
def test_the_common_ways_are_refused_for_their_address(canary: Any, host: str) -> None:
    """FAULTS 16: refused by the guard itself, not by chance."""
    assert code_of(canary.url("/", host), FetchPolicy()) == "url_refused"


@pytest.mark.parametrize("addresses", [["10.1.2.3"], ["8.8.8.8", "127.0.0.1"], ["8.8.8.8", "::1"]])
def test_a_name_with_any_private_address_is_refused(canary: Any, resolver: Any, addresses: list[str]) -> None:
    """FAULTS 16: names that resolve to a private address; the message does not tell which."""
    with pytest.raises(SourceError) as caught:
        fetch_url(canary.url("/", "evil.test"), FetchPolicy(), resolver(addresses))
    assert caught.value.code == "url_refused"
    assert "evil.test" in caught.value.message
    assert not any(address in caught.value.message for address in addresses)
    assert canary.hits == []


@pytest.mark.parametrize("hops", [1, 2, 3, 4])
def test_redirects_to_loopback_are_refused(site: Any, canary: Any, reply: Any, local: Any, hops: int) -> None:
    """FAULTS 17: a redirect to loopback after 1 to 4 hops."""
    for hop in range(1, hops):
        site.pages[f"/{hop}"] = reply(b"", 302, Location=f"/{hop + 1}")
    site.pages[f"/{hops}"] = reply(b"", 302, Location=canary.url("/", "127.0.0.1"))
    assert code_of(site.url("/1"), resolve=local) == ("url_refused" if hops <= 3 else "too_many_redirects")
    assert len(site.hits) == hops
    assert canary.hits == []


def test_three_redirects_are_followed(site: Any, reply: Any, local: Any) -> None:
    site.pages |= {f"/{hop}": reply(b"", 301 + hop % 2, Location=f"/{hop + 1}") for hop in range(3)}
    site.pages["/3"] = reply(b"image")
    assert fetch_url(site.url("/0"), ALLOWED, local) == b"image"


@pytest.mark.alone
def test_the_body_of_a_redirect_is_not_read(site: Any, reply: Any, local: Any) -> None:
    """FAULTS 20: an endless body under a redirect."""

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", "/image")
        request.end_headers()
        while True:
            request.wfile.write(bytes(65536))

    site.pages |= {"/": endless, "/image": reply(b"image")}
    started = time.monotonic()
    assert fetch_url(site.url("/"), ALLOWED, local) == b"image"
    assert time.monotonic() - started < 1


def test_a_redirect_loop_ends(site: Any, reply: Any, local: Any) -> None:
    """FAULTS 17: loops."""
    site.pages["/"] = reply(b"", 307, Location="/")
    assert code_of(site.url("/"), resolve=local) == "too_many_redirects"
    assert len(site.hits) == 4


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://images.test/a", "gopher://images.test", "http://me@images.test/", "http://[::1"],
)
def test_redirects_to_other_schemes_are_refused(site: Any, reply: Any, local: Any, location: str) -> None:
    """FAULTS 17: other schemes."""
    site.pages["/"] = reply(b"", 302, Location=location)
    assert code_of(site.url("/"), resolve=local) == "url_not_http"


def test_the_connection_goes_to_the_address_that_was_checked(
    site: Any, reply: Any, resolver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS 18: a resolver that changes its answer is asked once, and its first answer is used."""
    monkeypatch.setattr("engine.image.fetch.is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: pytest.fail("resolved again"))
    site.pages["/"] = reply(b"image")
    rebinding = resolver(["127.0.0.1"], ["127.0.0.2"])
    assert fetch_url(site.url("/", "rebind.test"), FetchPolicy(), rebinding) == b"image"
    assert rebinding.asked == ["rebind.test"]


def test_each_hop_is_resolved_and_checked_again(site: Any, reply: Any, resolver: Any, monkeypatch: Any) -> None:
    """FAULTS 18: the same name, private at the second hop."""
    monkeypatch.setattr("engine.image.fetch.is_public", lambda address: address == "127.0.0.1")
    site.pages |= {"/": reply(b"", 302, Location="/next"), "/next": reply(b"image")}
    rebinding = resolver(["127.0.0.1"], ["127.0.0.2"])
    assert code_of(site.url("/", "rebind.test"), FetchPolicy(), resolve=rebinding) == "url_refused"
    assert site.hits == ["/"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://images.test/a.jpg",
        "file:///etc/passwd",
        "//images.test/a",
        "images.test/a",
        "http://",
        "http:///a.jpg",
        "http://user@images.test/",
        "http://user:word@images.test/",
        "http://@images.test/",
        "http://images.test\\@127.0.0.1/",
        "http:\\\\images.test/",
        "http://images.test/a\r\nX: y",
        "http://images.test/\0",
        "http://images .test/",
        "http://images.test:99999/",
        "http://images.test:x/",
        "http://[::1/",
        "http://\ud800/",
    ],
)
def test_odd_urls_are_refused_before_anything_is_asked(local: Any, url: str) -> None:
    """FAULTS 19: user info, backslash, control characters, other schemes."""
    assert code_of(url, resolve=local) == "url_not_http"
    assert local.asked == []


def test_a_host_that_does_not_exist(resolver: Any) -> None:
    def no_such_host(*args: Any, **kwargs: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert code_of("http://nowhere.test/", resolve=no_such_host) == "host_not_found"
    assert code_of(f"http://{'a' * 300}.test/") in {"host_not_found", "url_not_http"}


@pytest.mark.parametrize("status", [204, 304, 400, 403, 404, 500, 503])
def test_a_bad_status_is_named(site: Any, reply: Any, local: Any, status: int) -> None:
    site.pages["/"] = reply(b"", status)
    if status == 204:
        assert fetch_url(site.url("/"), ALLOWED, local) == b""
        return
    with pytest.raises(SourceError, match=f"HTTP status {status}") as caught:
        fetch_url(site.url("/"), ALLOWED, local)
    assert caught.value.code == "fetch_failed"


def test_a_refused_connection_is_reported(local: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert code_of(f"http://images.test:{unused.getsockname()[1]}/", resolve=local) == "fetch_failed"


def test_a_page_that_is_no_image(site: Any, reply: Any, local: Any) -> None:
    """FAULTS 1: HTML served as .jpg."""
    site.pages["/a.jpg"] = reply(b"<!doctype html><p>Log in</p>", Content_Type="image/jpeg")
    with pytest.raises(ImageError) as caught:
        decode_image(fetch_url(site.url("/a.jpg"), ALLOWED, local))
    assert caught.value.code == "not_an_image"


def drip_body(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    drip(request)


def drip_headers(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    drip(request)


def stall_between_chunks(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(bytes(65536))
    request.connection.settimeout(3)
    request.connection.recv(1)


def stay_silent(request: BaseHTTPRequestHandler) -> None:
    request.connection.settimeout(3)
    request.connection.recv(1)


def drip(request: BaseHTTPRequestHandler) -> None:
    for _ in range(100):
        request.wfile.write(b"x")
        time.sleep(0.03)


@pytest.mark.alone
@pytest.mark.parametrize("page", [drip_body, drip_headers, stall_between_chunks, stay_silent])
def test_slowness_ends_at_the_deadline(site: Any, local: Any, page: Any) -> None:
    """FAULTS 20: a slow drip, in the headers too, is over in time and never taken for a whole body."""
    site.pages["/"] = page
    started = time.monotonic()
    assert code_of(site.url("/"), HURRIED, resolve=local) == "fetch_timeout"
    assert time.monotonic() - started < 1.2


@pytest.mark.alone
def test_a_slow_resolver_ends_at_the_deadline() -> None:
    asked, release = threading.Event(), threading.Event()

    def slow(*args: Any, **kwargs: Any) -> list[Any]:
        asked.set()
        release.wait(5)
        return []

    started = time.monotonic()
    assert code_of("http://images.test/", HURRIED, resolve=slow) == "fetch_timeout"
    assert time.monotonic() - started < 1.2
    assert asked.is_set()
    release.set()


def test_all_hops_share_one_deadline(site: Any, reply: Any, local: Any) -> None:
    def slow_redirect(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.35)
        reply(b"", 302, Location="/")(request)

    site.pages["/"] = slow_redirect
    assert code_of(site.url("/"), HURRIED, resolve=local) == "fetch_timeout"


def test_an_endless_body_is_cut_at_the_limit(site: Any, local: Any) -> None:
    """FAULTS 20: an endless body."""

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(bytes(65536))

    site.pages["/"] = endless
    policy = FetchPolicy(allow_private=True, max_bytes=1 << 20)
    assert code_of(site.url("/"), policy, resolve=local) == "too_many_bytes"


def test_a_gzip_bomb_is_counted_after_decompression(site: Any, reply: Any, local: Any) -> None:
    """FAULTS 20: a gzip bomb."""
    site.pages["/"] = reply(gzip.compress(bytes(64 << 20)), Content_Encoding="gzip")
    policy = FetchPolicy(allow_private=True, max_bytes=1 << 20)
    assert code_of(site.url("/"), policy, resolve=local) == "too_many_bytes"


def test_a_compressed_body_is_decompressed(site: Any, reply: Any, local: Any) -> None:
    site.pages["/"] = reply(gzip.compress(b"image"), Content_Encoding="gzip")
    assert fetch_url(site.url("/"), ALLOWED, local) == b"image"


@pytest.mark.parametrize(("sent", "limit"), [(10, "11"), (10, "1000")])
def test_a_body_shorter_than_declared_is_an_error(site: Any, reply: Any, local: Any, sent: int, limit: str) -> None:
    """FAULTS 20: a lying length."""
    site.pages["/"] = reply(bytes(sent), Content_Length=limit)
    assert code_of(site.url("/"), resolve=local) == "fetch_failed"


def test_a_declared_length_over_the_limit_is_refused_unread(site: Any, reply: Any, local: Any) -> None:
    """FAULTS 20: a lying length."""
    site.pages["/"] = reply(b"", Content_Length=str(33 << 20))
    assert code_of(site.url("/"), resolve=local) == "too_many_bytes"


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_two_lengths_are_an_error(site: Any, local: Any, version: bytes) -> None:
    """FAULTS 20: a lying length; no socket stays open."""
    site.pages["/"] = lambda request: request.wfile.write(
        b"HTTP/%s 200 OK\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\n" % version
    )
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always")
        assert code_of(site.url("/"), resolve=local) == "fetch_failed"
        gc.collect()
    assert [str(warning.message) for warning in left_open] == []


def test_the_limit_itself_passes(site: Any, reply: Any, local: Any) -> None:
    site.pages |= {"/8": reply(bytes(8)), "/9": reply(bytes(9))}
    policy = FetchPolicy(allow_private=True, max_bytes=8)
    assert fetch_url(site.url("/8"), policy, local) == bytes(8)
    assert code_of(site.url("/9"), policy, resolve=local) == "too_many_bytes"


@pytest.mark.alone
@pytest.mark.parametrize("page", [drip_body, drip_headers])
def test_a_fetch_can_be_cancelled(site: Any, local: Any, page: Any) -> None:
    site.pages["/"] = page
    started = time.monotonic()
    with pytest.raises(CancelledError):
        fetch_url(site.url("/"), ALLOWED, local, lambda: time.monotonic() > started + 0.2)
    assert time.monotonic() - started < 1.0


def test_no_thread_or_socket_remains(site: Any, local: Any) -> None:
    site.pages["/"] = drip_body
    code_of(site.url("/"), HURRIED, resolve=local)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("fetch-")]


def test_the_proxy_serves_the_window_alone(
    site: Any, canary: Any, reply: Any, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{canary.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    site.pages["/"] = reply(b"direct")
    canary.pages[site.url("/")] = reply(b"by proxy")
    assert fetch_url(site.url("/"), ALLOWED, local) == b"direct"
    assert canary.hits == []
    assert fetch_url(site.url("/"), FetchPolicy(allow_private=True, use_proxy=True), local) == b"by proxy"
    monkeypatch.setenv("no_proxy", "images.test")
    assert fetch_url(site.url("/"), FetchPolicy(allow_private=True, use_proxy=True), local) == b"direct"


@pytest.fixture
def secure_site(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The site over TLS, with a certificate for images.test that the environment's CA settings trust."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=images.test -keyout {key} -out {certificate}"
    subprocess.run([*made.split(), "-addext", "subjectAltName=DNS:images.test"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    return site


def test_the_certificate_is_checked_for_the_name(secure_site: Any, reply: Any, local: Any) -> None:
    secure_site.pages["/"] = reply(b"image")
    trusting = FetchPolicy(allow_private=True, use_proxy=True)
    url = secure_site.url("/").replace("http:", "https:")
    assert fetch_url(url, trusting, local) == b"image"
    assert code_of(url.replace("images.test", "other.test"), trusting, resolve=local) == "fetch_failed"
    assert code_of(url, FetchPolicy(allow_private=True), resolve=local) == "fetch_failed"


@pytest.mark.alone
def test_the_deadline_holds_over_tls(secure_site: Any, local: Any) -> None:
    """FAULTS 20: a slow drip inside TLS."""
    secure_site.pages["/"] = drip_headers
    started = time.monotonic()
    policy = FetchPolicy(allow_private=True, use_proxy=True, seconds=0.6)
    assert code_of(secure_site.url("/").replace("http:", "https:"), policy, resolve=local) == "fetch_timeout"
    assert time.monotonic() - started < 1.2
