"""A started server on the tiny model, and what its clients send."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from engine.api.app import create_app
from engine.api.server import Server
from engine.engine import Engine
from engine.settings import Settings
from tests.conftest import PROJECT
from tests.engine.image.conftest import canary, new_site, reply, resolver, site

__all__ = ["canary", "new_site", "reply", "resolver", "site"]

DETECTIONS, VISUALIZE, PREVIEW = "/v1/vision/detections", "/v1/vision/detect/visualize", "/v1/vision/detect/preview"
DEEPSTACK, LOCALAI = "/v1/vision/detection", "/v1/detection"


class Service:
    """A server that answers, and the engine behind it."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self.engine = Engine(settings)
        self.records: list[Any] = []
        self.app = create_app(self.engine, listener=self.records.append, **options)
        self.server = Server(self.app, port=0)
        self.server.start()
        self.url = self.server.url
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def stop(self) -> None:
        self.http.close()
        assert self.server.stop()
        self.engine.close()

    def detect(self, *items: dict[str, Any], headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """Ask in the old service's words."""
        question = {"messages": [{"role": "user", "content": list(items)}], **body}
        return self.http.post(DETECTIONS, json=question, headers=headers)


Serve = Callable[..., Service]


@pytest.fixture
def serve(tiny_detr: Path) -> Iterator[Serve]:
    """Starts servers with the settings that are given; they are stopped after the test."""
    started: list[Service] = []

    def start(options: dict[str, Any] | None = None, **settings: Any) -> Service:
        chosen = {"models": (f"tiny={tiny_detr}",), **settings}
        started.append(Service(Settings(**chosen), **(options or {})))
        return started[-1]

    yield start
    for service in started:
        service.stop()


@pytest.fixture(scope="module")
def shared_service(tiny_detr: Path) -> Iterator[Service]:
    """One server with a loaded model, for the tests of a module that leave it as it is."""
    service = Service(Settings(models=(f"tiny={tiny_detr}", f"小 模型={tiny_detr}")))
    service.engine.load("tiny")
    yield service
    service.stop()


@pytest.fixture
def service(shared_service: Service) -> Service:
    shared_service.records.clear()
    return shared_service


def image_bytes(seed: int = 0, size: tuple[int, int] = (320, 240), format: str = "JPEG", **options: Any) -> bytes:
    """An image of its own for each seed, as a file."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(out, format, **options)
    return out.getvalue()


def base64_item(data: bytes) -> dict[str, Any]:
    """The image as an item of a message."""
    return {"type": "image_base64", "image_url": {"url": base64.b64encode(data).decode()}}


def url_item(url: str) -> dict[str, Any]:
    """A URL as an item of a message."""
    return {"type": "image_url", "image_url": {"url": url}}


def check_envelope(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The error of an answer, once it is seen to be in OpenAI's envelope, short, and without paths or traces."""
    assert answer.status_code == status, answer.text
    assert len(answer.content) < 2048
    body = answer.json()
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["detail"] == body["error"]["message"]
    assert body["error"]["message"].endswith(".")
    for word in ("Traceback", 'File "', str(PROJECT), "/tmp/", "site-packages"):
        assert word not in answer.text
    error: dict[str, Any] = body["error"]
    return error


def wait_until(true: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for something to become true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.005)
