"""The engine as a notebook uses it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from pathlib import Path
from unittest.mock import patch

import pytest

from engine import Engine
from engine.detect.runtimes.torch_runtime import TorchRuntime
from engine.errors import CancelledError, DetectionError, EngineError
from engine.settings import Settings


@pytest.fixture
def engine(tiny_detr: Path) -> Engine:
    return Engine(Settings(model=str(tiny_detr)))


def test_path_bytes_data_uri_and_base64_give_the_same_detections(engine: Engine, image_file: Path) -> None:
    data = image_file.read_bytes()
    text = base64.b64encode(data).decode()
    expected = engine.detect(image_file)
    assert len(expected) == 12
    assert expected.model == "tiny-detr"
    assert expected.timing.model > 0
    for given in (str(image_file), data, f"data:image/jpeg;base64,{text}", text):
        found = engine.detect(given)
        assert found.scores.tolist() == expected.scores.tolist()
        assert found.boxes.tolist() == expected.boxes.tolist()


def test_the_least_used_model_makes_room(engine: Engine, tiny_detr: Path, tmp_path: Path, image_file: Path) -> None:
    import shutil

    closed = []
    with patch.object(TorchRuntime, "close", lambda self: closed.append(self)):
        for number in range(3):
            folder = shutil.copytree(tiny_detr, tmp_path / f"model {number}")
            engine.detect(image_file, str(folder))
    assert len(closed) == 1


def test_out_of_memory_unloads_the_model_and_the_next_question_is_answered(engine: Engine, image_file: Path) -> None:
    detector = engine.load()
    expected = engine.detect(image_file).scores.tolist()
    words = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes."
    with (
        patch.object(type(detector.runtime._model), "forward", side_effect=RuntimeError(words)),
        pytest.raises(DetectionError, match="The memory of cpu is not enough"),
    ):
        engine.detect(image_file)
    assert engine.load() is not detector
    assert engine.detect(image_file).scores.tolist() == expected


def test_a_failing_device_is_told_in_one_sentence(engine: Engine, image_file: Path) -> None:
    runtime = engine.load().runtime
    with (
        patch.object(type(runtime._model), "forward", side_effect=RuntimeError("device lost.\n  at line 3")),
        pytest.raises(DetectionError) as caught,
    ):
        engine.detect(image_file)
    assert caught.value.message == "The model failed on cpu: device lost."


def test_cancelled_work_is_given_up_before_the_model_runs(engine: Engine, image_file: Path) -> None:
    engine.load()
    with patch.object(TorchRuntime, "run", side_effect=AssertionError("ran")), pytest.raises(CancelledError):
        engine.detect(image_file, cancelled=lambda: True)


def test_threads_get_the_answers_of_their_own_images(engine: Engine, tmp_path: Path) -> None:
    from PIL import Image

    paths = []
    for at in range(8):
        path = tmp_path / f"{at}.png"
        Image.new("RGB", (50 + at, 40), (at * 30, 90, 200 - at * 20)).save(path)
        paths.append(path)
    expected = [engine.detect(path) for path in paths]
    answers: dict[int, object] = {}

    def ask(at: int) -> None:
        answers[at] = engine.detect(paths[at]).scores.tolist()

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {at: found.scores.tolist() for at, found in enumerate(expected)}


def test_a_setting_out_of_range_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETRDESK_MAX_PIXELS", "many")
    with pytest.raises(EngineError, match="max_pixels"):
        Engine()


def test_the_config_file_is_read_and_the_environment_wins(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_home / "config").mkdir()
    (own_home / "config" / "config.toml").write_text('max_pixels = 1000\nmodel = "模型"\n', "utf-8")
    monkeypatch.setenv("DETRDESK_MAX_PIXELS", "2000")
    settings = Engine().settings
    assert (settings.max_pixels, settings.model) == (2000, "模型")


def test_a_broken_config_file_is_told(own_home: Path) -> None:
    """FAULTS 32."""
    (own_home / "config").mkdir()
    (own_home / "config" / "config.toml").write_text('max_pixels = "10', "utf-8")
    with pytest.raises(EngineError, match="config.toml"):
        Engine()


CANARY = """
import socket, sys
def refuse(*arguments): raise AssertionError(f"network: {arguments}")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = socket.gethostbyname = refuse
from engine import Engine
print(len(Engine().detect(sys.argv[1], sys.argv[2])))
"""


def test_loading_and_detecting_call_nobody(tiny_detr: Path, image_file: Path) -> None:
    """FAULTS 34: a local folder works with no network at all, and nothing calls home."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        environment.pop(name, None)
    command = [sys.executable, "-c", CANARY, str(image_file), str(tiny_detr)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.stdout.strip() == "12", done.stderr


def test_importing_the_engine_leaves_heavy_libraries_alone() -> None:
    code = (
        "import sys, engine, engine.engine, engine.render; print({'torch', 'transformers', 'PyQt5'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
