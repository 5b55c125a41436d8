"""Image URLs whose host is slow: they hold up nobody but their own request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.api.fetching import Fetcher
from engine.api.metrics import Metrics
from engine.errors import CancelledError, EngineError
from engine.settings import Settings
from tests.engine.api.conftest import (
    PREVIEW,
    Serve,
    base64_item,
    check_envelope,
    image_bytes,
    url_item,
    wait_until,
)

ITEM = base64_item(image_bytes())


@pytest.fixture
def drip(site: Any, reply: Any) -> Callable[[], None]:
    """The site sends `/slow` a byte at a time, until the function is called."""
    over = threading.Event()

    def slow(request: Any) -> None:
        request.send_response(200)
        request.end_headers()
        while not over.wait(0.1):
            request.wfile.write(b"x")

    site.pages["/slow"] = slow
    site.pages["/good"] = reply(image_bytes())
    return over.set


@pytest.mark.alone
def test_slow_hosts_keep_nobody_from_the_model(serve: Serve, site: Any, drip: Callable[[], None]) -> None:
    """As many slow URLs as the queue has places: a good client is answered at once, however it sends its image."""
    service = serve(allow_private_image_hosts=True)
    service.detect(ITEM)
    with ThreadPoolExecutor(32) as pool:
        slow = [pool.submit(service.detect, url_item(site.url("/slow", "127.0.0.1"))) for _ in range(32)]
        wait_until(lambda: site.hits.count("/slow") == 32)
        assert service.engine.scheduler.waiting == 0
        for ask in (
            lambda: service.detect(ITEM),
            lambda: service.detect(url_item(site.url("/good", "127.0.0.1"))),
            lambda: service.http.get(PREVIEW, params={"url": site.url("/good", "127.0.0.1")}),
        ):
            started = time.monotonic()
            assert ask().status_code == 200
            assert time.monotonic() - started < 2
        assert not any(each.done() for each in slow)
        drip()
        assert {each.result().status_code for each in slow} <= {415, 502}
    assert service.engine.scheduler.waiting == 0


def test_more_slow_hosts_than_that_are_refused(serve: Serve, site: Any, drip: Callable[[], None]) -> None:
    service = serve(allow_private_image_hosts=True, queue=2)
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(service.detect, url_item(site.url("/slow", "127.0.0.1"))) for _ in range(4)]
        wait_until(lambda: site.hits.count("/slow") == 4)
        refused = service.detect(url_item(site.url("/good", "127.0.0.1")))
        assert check_envelope(refused, 503)["code"] == "queue_full"
        assert refused.headers["retry-after"]
        assert service.detect(ITEM).status_code == 200
        drip()
        assert len([each.result() for each in slow]) == 4
    assert service.detect(url_item(site.url("/good", "127.0.0.1"))).status_code == 200


def test_nothing_is_fetched_while_the_queue_is_full(serve: Serve, site: Any, reply: Any) -> None:
    site.pages["/good"] = reply(image_bytes())
    service = serve(allow_private_image_hosts=True, queue=1)
    with ThreadPoolExecutor(1) as pool, service.engine.scheduler.turn():
        waiting = pool.submit(service.detect, ITEM)
        wait_until(lambda: service.engine.scheduler.waiting == 1)
        check_envelope(service.detect(url_item(site.url("/good", "127.0.0.1"))), 503)
    assert waiting.result().status_code == 200
    assert site.hits == []


def test_stopping_ends_slow_fetches(serve: Serve, site: Any, drip: Callable[[], None]) -> None:
    before = set(threading.enumerate())
    service = serve(allow_private_image_hosts=True)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(service.detect, url_item(site.url("/slow", "127.0.0.1")))
        wait_until(lambda: site.hits)
        started = time.monotonic()
        assert service.server.stop()
        assert time.monotonic() - started < 5
        assert slow.exception() is not None or slow.result().status_code >= 400
    wait_until(lambda: not [each for each in set(threading.enumerate()) - before if each.name.startswith("api")])


def fetcher(monkeypatch: pytest.MonkeyPatch, size: int) -> Fetcher:
    """One whose fetches bring `size` bytes."""
    monkeypatch.setattr("engine.api.fetching.fetch_url", lambda *_, **__: bytes(size))
    return Fetcher(Settings(max_fetch_bytes=10), Metrics(lambda: 0), limit=2)


def test_what_is_fetched_takes_limited_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    fetches = fetcher(monkeypatch, size=10)
    with fetches.request() as first:
        assert len(first.fetch(["http://a"] * 10, bool)) == 10
        with fetches.request() as second, pytest.raises(EngineError, match="busy fetching"):
            second.fetch(["http://a"] * 7, bool)
    with fetches.request() as again:
        assert len(again.fetch(["http://a"] * 16, bool)) == 16


def test_what_arrives_after_the_request_is_over_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    fetches = fetcher(monkeypatch, size=10)
    with fetches.request() as late:
        pass
    with pytest.raises(CancelledError):
        late.fetch(["http://a"], bool)
    with fetches.request() as again:
        assert len(again.fetch([b"given", *["http://a"] * 16], bool)) == 17
