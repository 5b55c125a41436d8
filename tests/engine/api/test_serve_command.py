"""`detrdesk serve`, run as a user runs it."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.cli import main as cli
from tests.engine.api.conftest import DETECTIONS, check_envelope, image_bytes


def question_of(image: bytes) -> dict[str, Any]:
    """A question with this image in it."""
    item = {"type": "image_base64", "image_url": {"url": base64.b64encode(image).decode()}}
    return {"messages": [{"content": [item]}]}


QUESTION = question_of(image_bytes())


class Running:
    """The command's process, and where it answers."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "desktop", "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.search(r"at (http://\S+)", self.line)
        assert found, self.process.communicate()
        self.url = found[1]

    def stop(self) -> tuple[int, str, float]:
        """Exit code, what stood on standard error, and how long it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=20)
        return self.process.returncode, err, time.monotonic() - started


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Running] = []

    def run(*arguments: str, **environment: str) -> Running:
        started.append(Running(arguments, environment))
        return started[-1]

    yield run
    for each in started:
        each.process.kill()
        each.process.communicate()


def test_it_serves_with_the_options_that_are_given(start: Start, tiny_detr: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("geheim\n")
    key = ("--api-key-file", str(tmp_path / "key"), "--host", "0.0.0.0")
    running = start("--model", f"小={tiny_detr}", f"b={tiny_detr}", "--log-json", "--queue", "5", *key)
    assert "小, b" in running.line
    with httpx.Client(base_url=running.url, timeout=60) as client:
        check_envelope(client.get("/models"), 401)
        bearer = {"Authorization": "Bearer geheim", "X-Request-Id": "r-1"}
        assert client.get("/models", headers=bearer).json() == {"loaded_models": ["小", "b"]}
        assert client.post(DETECTIONS, json=QUESTION, headers=bearer).status_code == 200
    code, err, seconds = running.stop()
    assert code == 0
    assert seconds < 5
    lines = [json.loads(line) for line in err.splitlines()]
    assert [(line["path"], line["status"]) for line in lines] == [("/models", 401), ("/models", 200), (DETECTIONS, 200)]
    assert (lines[-1]["images"], lines[-1]["tokens"], lines[-1]["request_id"]) == (1, 98, "r-1")
    assert "geheim" not in err


def test_wait_for_fast_serves_converted_models_from_the_first_request_on(start: Start, tiny_detr: Path) -> None:
    running = start("--model", f"a={tiny_detr}", "--wait-for-fast", DETRDESK_RUNTIME="auto")
    assert httpx.get(running.url + "/health", timeout=30).json()["model"]["a"]["runtime"] == "openvino"
    assert httpx.post(running.url + DETECTIONS, json=QUESTION, timeout=30).status_code == 200
    code, err, _ = running.stop()
    assert code == 0
    assert "Preparing the model a for this processor." in err


def test_a_stop_while_models_are_converted_ends_the_server(tiny_detr: Path) -> None:
    command = [sys.executable, "-m", "desktop", "serve", "--port", "0", "--model", str(tiny_detr), "--wait-for-fast"]
    environment = {**os.environ, "DETRDESK_RUNTIME": "auto"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        assert "Preparing" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stdout.read() == ""


def test_settings_come_from_environment_and_file_too(start: Start, tiny_detr: Path, own_home: Path) -> None:
    (own_home / "config").mkdir()
    (own_home / "config" / "config.toml").write_text('allow_hosts = ["box.example"]\nallow_origins = ["http://a.test"]')
    running = start(DETRDESK_MODELS=str(tiny_detr), DETRDESK_API_KEY="k", DETRDESK_ALLOW_ORIGINS="http://b.test")
    headers = {"x-api-key": "k", "Host": "box.example"}
    assert httpx.get(running.url + "/models", headers=headers).json() == {"loaded_models": ["tiny-detr"]}
    for origin, status in (("http://b.test", 200), ("http://a.test", 403)):
        assert httpx.get(running.url + "/models", headers={**headers, "Origin": origin}).status_code == status
    assert running.stop()[0] == 0


def test_sigterm_with_requests_in_flight_finishes_what_runs(start: Start, tiny_detr: Path) -> None:
    """FAULTS 28: gone within 5 s, exit 0, no traceback."""
    running = start("--model", str(tiny_detr))
    httpx.post(running.url + DETECTIONS, json=QUESTION, timeout=30)
    statuses: list[int] = []

    def ask() -> None:
        try:
            while True:
                statuses.append(httpx.post(running.url + DETECTIONS, json=QUESTION, timeout=30).status_code)
        except httpx.TransportError:
            pass

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    code, err, seconds = running.stop()
    for thread in threads:
        thread.join(10)
    assert (code, set(statuses)) == (0, {200})
    assert seconds < 5
    assert all(line.startswith("127.0.0.1 POST") for line in err.splitlines())


def test_sigterm_while_the_model_takes_long(start: Start, tiny_detr: Path) -> None:
    """The process does not wait longer than 5 s for a model that is still being loaded."""
    running = start("--model", str(tiny_detr))
    code, _, seconds = running.stop()
    assert code == 0
    assert seconds < 5


def serve_in_process(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return cli.main(["serve", "--port", "0", *arguments]), capsys.readouterr().err
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "box.example"])
def test_another_address_without_a_key_is_refused(
    capsys: pytest.CaptureFixture[str], tiny_detr: Path, host: str
) -> None:
    code, err = serve_in_process(capsys, "--host", host, "--model", str(tiny_detr))
    assert code == cli.USAGE
    assert "--api-key-file" in err
    assert "--no-key" in err


def test_no_key_is_warned_of(start: Start, tiny_detr: Path) -> None:
    running = start("--host", "0.0.0.0", "--no-key", "--model", str(tiny_detr))
    assert httpx.get(running.url + "/models").status_code == 200
    code, err, _ = running.stop()
    assert code == 0
    assert "warning: whoever reaches 0.0.0.0 may ask" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "nothing-here"], "There is no model nothing-here"),
        (["--model", "a=/nothing/here"], "There is no model folder"),
        (["--api-key-file", "/nothing"], "cannot be read"),
        (["--api-key-file", os.devnull], "is empty"),
    ],
)
def test_what_cannot_be_served_is_told(
    capsys: pytest.CaptureFixture[str], tiny_detr: Path, arguments: list[str], words: str
) -> None:
    code, err = serve_in_process(capsys, "--model", str(tiny_detr), *arguments)
    assert code == cli.USAGE
    assert words in err


def test_a_taken_port_is_told(capsys: pytest.CaptureFixture[str], tiny_detr: Path) -> None:
    """FAULTS 29."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, err = serve_in_process(capsys, "--port", port, "--model", str(tiny_detr))
    assert code == cli.USAGE
    assert f"Port {port} is in use" in err


@pytest.mark.parametrize("arguments", [["--port", "99999"], ["--port", "x"], ["--queue", "0"], ["--nope"], ["a.jpg"]])
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["serve", *arguments])
    assert caught.value.code == cli.USAGE


@pytest.mark.alone
def test_health_answers_within_50_ms_while_the_model_works(start: Start, tiny_detr: Path) -> None:
    running = start("--model", str(tiny_detr))
    httpx.post(running.url + DETECTIONS, json=QUESTION, timeout=30)
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=running.url, timeout=30) as client:
            while not done.is_set():
                assert client.post(DETECTIONS, json=QUESTION).status_code == 200

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    times = []
    with httpx.Client(base_url=running.url, timeout=60) as client:
        for _ in range(100):
            started = time.perf_counter()
            assert client.get("/health").status_code == 200
            times.append((time.perf_counter() - started) * 1e3)
            time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert sorted(times)[95] < 50


@pytest.mark.alone
def test_health_answers_while_a_body_of_29_mebibytes_is_read(start: Start, tiny_detr: Path) -> None:
    """No step of it may hold the interpreter: one regular expression over all of it would, for 200 ms."""
    running = start("--model", str(tiny_detr))
    body = json.dumps(question_of(bytes(22_000_000))).encode()
    statuses = []
    with httpx.Client(base_url=running.url, timeout=60) as client:
        client.post(DETECTIONS, json=QUESTION, timeout=30)
        sending = threading.Thread(
            target=lambda: statuses.append(httpx.post(running.url + DETECTIONS, content=body, timeout=30).status_code)
        )
        sending.start()
        times = []
        while sending.is_alive():
            started = time.perf_counter()
            assert client.get("/health").status_code == 200
            times.append((time.perf_counter() - started) * 1e3)
    assert statuses == [415]
    assert max(times) < 150
