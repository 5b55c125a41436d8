"""A loopback HTTP server whose pages are functions, and images in every format."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.quiet_server import QuietServer

Page = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A server on 127.0.0.1 that remembers what it was asked for."""

    pages: dict[str, Page]
    server: ThreadingHTTPServer
    hits: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def url(self, path: str, host: str = "images.test") -> str:
        return f"http://{host}:{self.port}{path}"


def _serve() -> tuple[Site, threading.Thread]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.hits.append(self.path)
            site.hosts.append(self.headers.get("Host", ""))
            page = site.pages.get(self.path.partition("?")[0])
            page(self) if page else self.send_error(404)

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    site = Site({}, QuietServer(("127.0.0.1", 0), Handler))
    thread = threading.Thread(target=site.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    return site, thread


@pytest.fixture
def new_site() -> Iterator[Callable[[], Site]]:
    """Starts sites; they are stopped after the test."""
    started: list[tuple[Site, threading.Thread]] = []

    def start() -> Site:
        started.append(_serve())
        return started[-1][0]

    yield start
    for site, thread in started:
        site.server.shutdown()
        site.server.server_close()
        thread.join()


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Site:
    """A site that a test may fetch from."""
    return new_site()


@pytest.fixture
def canary(new_site: Callable[[], Site]) -> Site:
    """A site that nobody may reach."""
    found = new_site()
    found.pages["/"] = lambda request: answer(request, b"secret")
    return found


def answer(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """Send a whole answer."""
    request.send_response(status)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {"Content-Length": str(len(body)), **named}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def reply() -> Callable[..., Page]:
    """Makes a page with a body, a status and headers."""
    return lambda body, status=200, **headers: lambda request: answer(request, body, status, **headers)


@pytest.fixture
def resolver() -> Callable[..., Callable[..., list[Any]]]:
    """Makes a `getaddrinfo` that answers each call with the next list of addresses, and counts in `.asked`."""

    def make(*answers: list[str]) -> Callable[..., list[Any]]:
        left = list(answers)

        def resolve(host: str, port: int, **kwargs: Any) -> list[Any]:
            resolve.asked.append(host)  # type: ignore[attr-defined]
            addresses = left.pop(0) if len(left) > 1 else left[0]
            kind = {True: socket.AF_INET6, False: socket.AF_INET}
            return [(kind[":" in each], socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

        resolve.asked = []  # type: ignore[attr-defined]
        return resolve

    return make


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """64 x 48 RGB, no two rows or columns alike."""
    y, x = np.mgrid[0:48, 0:64]
    noise = np.random.default_rng(7).integers(0, 30, (48, 64))
    return Image.fromarray(np.stack([x * 3 + noise, y * 4 + noise, 200 - x - y], -1).astype(np.uint8))


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """`encode(image, format, **options)`: the bytes of a file."""

    def save(image: Image.Image, kind: str, **options: Any) -> bytes:
        out = io.BytesIO()
        image.save(out, kind, **options)
        return out.getvalue()

    return save


@pytest.fixture(scope="session")
def files(picture: Image.Image, encode: Callable[..., bytes]) -> dict[str, bytes]:
    """The picture in every format and variant that differs in decoding."""
    turned = picture.rotate(180)
    return {
        "jpeg": encode(picture, "JPEG"),
        "progressive jpeg": encode(picture, "JPEG", progressive=True),
        "cmyk jpeg": encode(picture.convert("CMYK"), "JPEG"),
        "png": encode(picture, "PNG"),
        "palette png": encode(picture.quantize(16), "PNG"),
        "apng": encode(picture, "PNG", save_all=True, append_images=[turned]),
        "gif": encode(picture, "GIF", save_all=True, append_images=[turned]),
        "webp": encode(picture, "WEBP"),
        "lossless webp": encode(picture, "WEBP", lossless=True),
        "animated webp": encode(picture, "WEBP", save_all=True, append_images=[turned], lossless=True),
        "bmp": encode(picture, "BMP"),
        "tiff": encode(picture, "TIFF"),
        "lzw tiff": encode(picture, "TIFF", compression="tiff_lzw"),
        "jpeg tiff": encode(picture, "TIFF", compression="jpeg"),
        "fax tiff": encode(picture.convert("1"), "TIFF", compression="group4"),
        "avif": encode(picture, "AVIF"),
        "ico": encode(picture, "ICO", sizes=[(64, 48)]),
        "bmp ico": encode(picture, "ICO", sizes=[(64, 48)], bitmap_format="bmp"),
        "ppm": encode(picture, "PPM"),
    }
