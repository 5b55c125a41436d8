"""Servers under load: eight clients at once, beside the service that a user would write."""

from __future__ import annotations

import base64
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from engine.bench.paired import Figure, Spread, compare_rates, ratio_at_least
from tests.benchmarks.fresh import fresh_home
from tests.benchmarks.workspace import Workspace

CLIENTS = 8
PLAIN_SERVICE = Path(__file__).with_name("plain_service.py")


@dataclass
class HealthWatch:
    """Response times of `/health` while a server works, milliseconds; requested every 20 ms."""

    url: str
    times: list[float]

    @property
    def p99(self) -> float:
        """The 99th percentile, ms."""
        return statistics.quantiles(self.times, n=100, method="inclusive")[98] if len(self.times) > 1 else float("nan")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Send requests until the end of the block."""
        done = threading.Event()
        thread = threading.Thread(target=self._request, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _request(self, done: threading.Event) -> None:
        with requests.Session() as session:
            while not done.wait(0.02):
                started = time.perf_counter()
                session.get(f"{self.url}/health", timeout=120)
                self.times.append((time.perf_counter() - started) * 1e3)


def figures(workspace: Workspace) -> Iterator[Figure]:
    """Images per second for eight clients, and response times of `/health` meanwhile."""
    checkpoint, images, runs = workspace.detr_r50, 2 * CLIENTS, (workspace.runs + 1) // 2
    port, plain_port = free_port(), free_port()
    serve = [sys.executable, "-m", "desktop", "serve", "--port", str(port), "--model", f"model={checkpoint}"]
    plain_serve = [sys.executable, str(PLAIN_SERVICE), str(checkpoint), str(plain_port)]
    with (
        workspace.converted_home(checkpoint) as home,
        fresh_home() as plain_home,
        running_server(port, serve, home.environment) as url,
        running_server(plain_port, plain_serve, plain_home.environment) as plain_url,
    ):
        body = _body(workspace.photo)
        watches = [HealthWatch(each, []) for each in (url, plain_url)]
        ways = [lambda watch=watch: _flood(watch, body, images) for watch in watches]
        name = f"API, {CLIENTS} clients, DETR-R50 shape, converted before, after {images} images"
        yield compare_rates(name, images, *ways, runs, ratio_at_least(2.0))
    spreads = [Spread(min(watch.times) / 1e3, watch.p99 / 1e3, max(watch.times) / 1e3) for watch in watches]
    ratio = Spread.of([watches[0].p99 / watches[1].p99])
    yield Figure("`/health` meanwhile: 99th percentile (fastest to slowest)", *spreads, ratio)


def answer_times(url: str, photo: Path, seconds: float) -> list[float]:
    """Send images from all clients, each its next one after its answer; return when each answer came.

    Args:
        url: Of the server.
        photo: The image that is sent.
        seconds: For how long new requests are sent.

    Returns:
        Seconds after the first request, ascending.
    """
    body, times = _body(photo), list[float]()
    started = time.perf_counter()

    def send(_: int) -> None:
        while time.perf_counter() - started < seconds:
            _post(url, body)
            times.append(time.perf_counter() - started)

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(send, range(CLIENTS)))
    return sorted(times)


@contextmanager
def running_server(port: int, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Provide the address of a server that was just started and answers; it is stopped at the end of the block."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _flood(watch: HealthWatch, body: dict[str, object], images: int) -> float:
    with watch.watching(), ThreadPoolExecutor(CLIENTS) as clients:
        started = time.perf_counter()
        list(clients.map(lambda _: _post(watch.url, body), range(images)))
        return time.perf_counter() - started


def _post(url: str, body: dict[str, object]) -> None:
    headers = {"X-Detr-Threshold": "0.5"}
    requests.post(f"{url}/v1/vision/detections", json=body, headers=headers, timeout=300).raise_for_status()


def _body(photo: Path) -> dict[str, object]:
    image = {"type": "image_base64", "image_url": {"url": base64.b64encode(photo.read_bytes()).decode()}}
    return {"messages": [{"role": "user", "content": [image]}]}


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            requests.get(f"{url}/health", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")
