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

from engine.bench.paired import Figure, Spread, compare_rates, ratio_at_least
from tests.benchmarks.workspace import Workspace

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
        return statistics.quantiles(self.times, n=100, method="inclusive")[98] if len(self.times) > 1 else float("nan")

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


def figures(workspace: Workspace) -> Iterator[Figure]:
    """Images a second by eight clients, and how `/health` answered meanwhile."""
    checkpoint, images, runs = workspace.detr_r50, 2 * CLIENTS, (workspace.runs + 1) // 2
    workspace.settle(checkpoint)
    ours, plain = _free_port(), _free_port()
    serve = ["-m", "desktop", "serve", "--port", str(ours), "--model", f"model={checkpoint}"]
    with _server(ours, *serve), _server(plain, str(PLAIN_SERVICE), str(checkpoint), str(plain)):
        body = _body(workspace.photo)
        watches = [HealthWatch(f"http://127.0.0.1:{port}", []) for port in (ours, plain)]
        ways = [lambda watch=watch: _flood(watch, body, images) for watch in watches]
        name = f"API, {CLIENTS} clients, DETR-R50 shape"
        yield compare_rates(name, images, *ways, runs, ratio_at_least(2.0))
    spreads = [Spread(min(watch.times) / 1e3, watch.p99 / 1e3, max(watch.times) / 1e3) for watch in watches]
    ratio = Spread.of([watches[0].p99 / watches[1].p99])
    yield Figure("`/health` meanwhile: 99th percentile (fastest to slowest)", *spreads, ratio)


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
