"""The engine as a notebook uses it."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image

from engine import Engine
from engine.detect.detection import Detections
from engine.detect.recipe import Prepared
from engine.errors import CancelledError, DetectionError, EngineError
from engine.inference.scheduler import Rank
from engine.review.cache import DetectionCache
from engine.runtimes.detector import Detector
from engine.runtimes.torch_runtime import TorchRuntime
from engine.settings import Settings
from tests.children import PROJECT


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
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        environment.pop(name, None)
    command = [sys.executable, "-c", CANARY, str(image_file), str(tiny_detr)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.stdout.strip() == "12", done.stderr


def test_importing_the_engine_leaves_heavy_libraries_alone() -> None:
    heavy = "{'torch', 'transformers', 'PyQt5'}"
    code = f"import sys, engine, engine.engine, engine.render.render; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture
def knowing(tiny_detr: Path, tmp_path: Path) -> Iterator[Engine]:
    """An engine with a cache."""
    engine = Engine(Settings(model=str(tiny_detr)), DetectionCache(tmp_path / "cache" / "detections.sqlite"))
    yield engine
    engine.close()


def test_an_opened_image_is_named_by_its_content(engine: Engine, image_file: Path, tmp_path: Path) -> None:
    expected = hashlib.blake2b(image_file.read_bytes(), digest_size=16).hexdigest()
    moved = shutil.copy(image_file, tmp_path / "moved.jpg")
    assert {engine.open(given).content_hash for given in (image_file, moved, image_file.read_bytes())} == {expected}


def test_the_model_is_asked_once_about_the_same_content(knowing: Engine, image_file: Path, tmp_path: Path) -> None:
    expected = knowing.detect_known(knowing.open(image_file))
    moved = knowing.open(shutil.copy(image_file, tmp_path / "moved.jpg"))
    with patch.object(Detector, "detect", side_effect=AssertionError("ran the model")):
        found = knowing.detect_known(moved)
    assert found.scores.tolist() == expected.scores.tolist()
    assert found.boxes.tolist() == expected.boxes.tolist()
    assert (found.model, found.names[1], found.device) == (expected.model, expected.names[1], expected.device)
    assert (found.timing.model, found.timing.decode) == (0.0, moved.decode_ms)


def test_an_image_in_which_nothing_was_found_is_known_too(knowing: Engine, image_file: Path) -> None:
    image = knowing.open(image_file)
    knowing.known.keep(image, knowing.detect_in(image).above(1.0))
    with patch.object(Detector, "detect", side_effect=AssertionError("ran the model")):
        assert len(knowing.detect_known(image)) == 0


def test_fresh_goes_past_the_cache_and_renews_it(knowing: Engine, image_file: Path) -> None:
    image = knowing.open(image_file)
    knowing.known.keep(image, knowing.detect_in(image).above(1.0))
    assert len(knowing.detect_known(image, fresh=True)) == 12
    assert len(knowing.detect_known(image)) == 12


def test_another_model_knows_nothing_and_a_copy_of_the_same_one_does(
    knowing: Engine, tiny_detr: Path, tmp_path: Path, image_file: Path
) -> None:
    image = knowing.open(image_file)
    knowing.detect_known(image)
    copy = shutil.copytree(tiny_detr, tmp_path / "copy")
    recalled = knowing.known.recall(image, str(copy))
    assert recalled is not None
    assert recalled.model == "copy"
    (copy / "preprocessor_config.json").write_text("{}")
    assert knowing.known.recall(image, str(copy)) is None
    assert knowing.known.recall(image, "nothing-here") is None


def test_two_threads_that_ask_about_the_same_image_run_the_model_once(knowing: Engine, image_file: Path) -> None:
    image, runs, began = knowing.open(image_file), [], threading.Event()
    detect = Detector.detect

    def slow(detector: Detector, prepared: Prepared) -> Detections:
        runs.append(prepared)
        began.wait(0.2)
        return detect(detector, prepared)

    places = knowing.scheduler.behind(Rank.AHEAD)
    with patch.object(Detector, "detect", slow):
        threads = [
            threading.Thread(target=knowing.detect_known, args=(image,), kwargs={"reservation": each})
            for each in (places, None)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(runs) == 1


RECALL = """
import sys
from pathlib import Path
from engine import Engine
from engine.review.cache import DetectionCache
from engine.settings import Settings
image, model, cache = sys.argv[1:]
engine = Engine(Settings(model=model), DetectionCache(Path(cache)))
found = engine.detect_known(engine.open(image))
print(len(found), sorted({"torch", "transformers", "openvino"} & set(sys.modules)))
"""


def test_what_is_known_needs_no_torch(knowing: Engine, tiny_detr: Path, image_file: Path, tmp_path: Path) -> None:
    knowing.detect_known(knowing.open(image_file))
    knowing.close()
    command = [sys.executable, "-c", RECALL, str(image_file), str(tiny_detr), str(tmp_path / "cache/detections.sqlite")]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.strip() == "12 []", done.stderr


def test_after_closing_the_engine_still_answers(knowing: Engine, image_file: Path) -> None:
    knowing.close()
    assert len(knowing.detect_known(knowing.open(image_file))) == 12
