"""Eight clients at once: our server against the service that a user would write."""

from __future__ import annotations

import base64
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.benchmarks.paired import Figure, compare

CLIENTS = 8
PLAIN_SERVICE = Path(__file__).with_name("plain_service.py")


@dataclass
class HealthWatch:
    """How long `/health` takes while a server works, milliseconds, asked every 20 ms."""

    url: str
    times: list[float]

    @property
    def p99(self) -> float:
        """The 99th percentile, ms."""
        return statistics.quantiles(self.times, n=100)[98] if len(self.times) > 1 else float("nan")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Ask until the end of the block."""
        done = threading.Event()
        thread = threading.Thread(target=self._ask, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _ask(self, done: threading.Event) -> None:
        with requests.Session() as session:
            while not done.wait(0.02):
                started = time.perf_counter()
                session.get(f"{self.url}/health", timeout=120)
                self.times.append((time.perf_counter() - started) * 1e3)


def api_figure(
    name: str, checkpoint: Path, photo: Path, images: int, runs: int
) -> tuple[Figure, HealthWatch, HealthWatch]:
    """Seconds that `images` images take by eight clients, and how `/health` answered meanwhile: ours, plain."""
    ours, plain = _free_port(), _free_port()
    serve = ["-m", "desktop", "serve", "--port", str(ours), "--model", f"model={checkpoint}"]
    with _server(ours, *serve), _server(plain, str(PLAIN_SERVICE), str(checkpoint), str(plain)):
        body = _body(photo)
        watches = [HealthWatch(f"http://127.0.0.1:{port}", []) for port in (ours, plain)]
        figure = compare(name, lambda: _flood(watches[0], body, images), lambda: _flood(watches[1], body, images), runs)
    return figure, watches[0], watches[1]


def _flood(watch: HealthWatch, body: dict[str, object], images: int) -> float:
    def ask(_: int) -> None:
        headers = {"X-Detr-Threshold": "0.5"}
        requests.post(f"{watch.url}/v1/vision/detections", json=body, headers=headers, timeout=300).raise_for_status()

    with watch.watching(), ThreadPoolExecutor(CLIENTS) as clients:
        started = time.perf_counter()
        list(clients.map(ask, range(images)))
        return time.perf_counter() - started


def _body(photo: Path) -> dict[str, object]:
    image = {"type": "image_base64", "image_url": {"url": base64.b64encode(photo.read_bytes()).decode()}}
    return {"messages": [{"role": "user", "content": [image]}]}


@contextmanager
def _server(port: int, *command: str) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, *command], stdout=quiet, stderr=quiet)
    try:
        _wait_until_it_answers(port)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(port: int, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at port {port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
