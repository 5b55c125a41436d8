"""The window while something runs: it stays responsive, the newest request wins, cancelling and closing work."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtCore import Qt

from desktop.state.viewer import ViewerState, choose_threshold, choose_top_k
from desktop.work.task_runner import running_threads
from engine.detect.detection import Detections
from engine.detect.recipe import Prepared
from engine.engine import Engine, shared_cache
from engine.runtimes.detector import Detector
from engine.settings import load_settings
from tests.children import PROJECT
from tests.desktop.conftest import Driver

pytestmark = pytest.mark.alone


class SlowDetector:
    """Makes every detection wait for `go`, as a large model would."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.running = threading.Event()
        self.sizes: list[tuple[int, int]] = []
        self._detect = Detector.detect

    def __call__(self, detector: Detector, prepared: Prepared) -> Detections:
        self.sizes.append((prepared.width, prepared.height))
        self.running.set()
        assert self.go.wait(20)
        return self._detect(detector, prepared)


@pytest.fixture
def slow() -> Any:
    detector = SlowDetector()
    with patch.object(Detector, "detect", lambda self, prepared: detector(self, prepared)):
        yield detector
        detector.go.set()


def images(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{at}.png" for at in range(count)]
    for at, path in enumerate(paths):
        Image.new("RGB", (30 + at, 20)).save(path)
    return paths


def test_the_newest_request_wins_and_the_ones_between_cost_nothing(
    open_window: Callable[..., Driver], slow: SlowDetector, tmp_path: Path
) -> None:
    first, *between, last = images(tmp_path, 6)
    driver = open_window(first)
    driver.wait_until(slow.running.is_set)
    for path in [*between, last]:
        driver.window.viewer.browsing.open([path])
    slow.go.set()
    driver.wait_detected(last.name)
    assert slow.sizes == [(30, 20), (35, 20)]


def test_cancel_frees_the_window_and_the_result_is_discarded(
    open_window: Callable[..., Driver], slow: SlowDetector, image_file: Path
) -> None:
    driver = open_window(image_file)
    driver.wait_until(slow.running.is_set)
    cancel, detect = driver.find("cancelButton"), driver.find("detectButton")
    driver.wait_until(lambda: driver.state.image is not None and cancel.isEnabled())
    assert not detect.isEnabled()
    driver.qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert driver.state.stage is None
    assert detect.isEnabled()
    assert not cancel.isEnabled()
    slow.go.set()
    driver.qtbot.wait(300)
    assert driver.state.detections is None
    driver.qtbot.mouseClick(detect, Qt.MouseButton.LeftButton)
    driver.wait_detected(image_file.name)


def test_escape_cancels(open_window: Callable[..., Driver], slow: SlowDetector, image_file: Path) -> None:
    driver = open_window(image_file)
    driver.wait_until(slow.running.is_set)
    driver.qtbot.keyClick(driver.window.view, Qt.Key.Key_Escape)
    assert driver.state.stage is None


def test_closing_while_it_works_waits_for_the_thread(
    open_window: Callable[..., Driver], slow: SlowDetector, image_file: Path
) -> None:
    driver = open_window(image_file)
    driver.wait_until(slow.running.is_set)
    threading.Timer(0.3, slow.go.set).start()
    driver.window.close()
    assert not driver.window.isVisible()


def test_closing_does_not_wait_for_settings_that_wait_for_the_model(
    open_window: Callable[..., Driver], slow: SlowDetector, image_file: Path
) -> None:
    driver = open_window(image_file)
    driver.wait_until(slow.running.is_set)
    viewer, settings = driver.window.viewer, load_settings()
    viewer.apply(settings.model_copy(update={"device": "cuda"}))
    answered = threading.Timer(6.0, slow.go.set)
    answered.start()
    started = time.monotonic()
    assert not viewer.close(0.5)
    assert time.monotonic() - started < 4.0
    slow.go.set()
    answered.cancel()


def test_an_exception_in_the_worker_is_reported_and_the_window_lives(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS 35."""
    caught: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: caught.append(kind))
    with patch.object(Detector, "detect", side_effect=ZeroDivisionError):
        driver.qtbot.keyClick(driver.window, Qt.Key.Key_F5)
        driver.wait_told("went wrong inside detrdesk")
    assert caught == [ZeroDivisionError]
    before = driver.state.detections
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_F5)
    driver.wait_until(lambda: driver.state.detections is not before and driver.state.stage is None)


MODEL_SECONDS = 0.4


@pytest.fixture
def known_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window whose engine keeps what it detects, with a model that takes 0.4 s."""
    monkeypatch.setattr("desktop.app.Engine", lambda settings, *_: Engine(settings, shared_cache()))
    detect = Detector.detect

    def slow(self: Detector, prepared: Prepared) -> Detections:
        time.sleep(MODEL_SECONDS)
        return detect(self, prepared)

    monkeypatch.setattr(Detector, "detect", slow)


@pytest.mark.usefixtures("known_kept")
def test_the_next_image_is_answered_at_once(open_window: Callable[..., Driver], tmp_path: Path) -> None:
    """The best of some, for the machine may be busy; without looking ahead each would take the model's time."""
    paths = images(tmp_path, 7)
    driver = open_window(tmp_path)
    driver.wait_detected(paths[0].name)
    engine = driver.window.viewer.engine
    times = []
    for path in paths[1:5]:
        driver.wait_until(lambda path=path: engine.known.recall(engine.read(path)) is not None)
        started = time.perf_counter()
        driver.qtbot.keyClick(driver.window.view, Qt.Key.Key_D)
        driver.wait_detected(path.name)
        times.append(time.perf_counter() - started)
    assert min(times) < MODEL_SECONDS / 2
    driver.qtbot.keyClick(driver.window.view, Qt.Key.Key_A)
    driver.wait_detected(paths[3].name)


@pytest.mark.usefixtures("known_kept")
def test_detect_again_goes_past_what_is_known(open_window: Callable[..., Driver], image_file: Path) -> None:
    driver = open_window(image_file)
    driver.wait_detected(image_file.name)
    before = driver.state.detections
    started = time.perf_counter()
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_F5)
    driver.wait_until(lambda: driver.state.detections is not before and driver.state.stage is None)
    assert time.perf_counter() - started >= MODEL_SECONDS


@pytest.mark.usefixtures("known_kept")
def test_closing_while_all_are_detected_in_leaves_no_thread(open_window: Callable[..., Driver], tmp_path: Path) -> None:
    paths = images(tmp_path, 20)
    driver = open_window(tmp_path)
    driver.wait_detected(paths[0].name)
    driver.window.viewer.detect_all()
    batch = driver.window.viewer.batch
    driver.wait_until(lambda: batch.state is not None and batch.state.done >= 2)
    driver.window.close()
    assert driver.window.all_ended
    assert not running_threads()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decoding")]


def many_detections(count: int) -> Detections:
    random = np.random.default_rng(1)
    corners = random.uniform(0, 200, (count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(5, 60, (count, 2))], axis=1).astype(np.float32)
    scores = random.uniform(0, 1, count).astype(np.float32)
    return Detections.from_arrays(scores, random.integers(0, 20, count), boxes, {}, 320, 240)


def test_choosing_among_300_boxes_costs_less_than_a_frame() -> None:
    """Under 16 ms, without the drawing; the best of some, for the machine may be busy."""
    state = ViewerState(detections=many_detections(300))
    times = []
    for step in range(40):
        started = time.perf_counter()
        shown = choose_top_k(choose_threshold(state, step / 50), 100 + step).shown
        times.append(time.perf_counter() - started)
        assert shown is not None
    assert sorted(times)[len(times) // 2] < 0.004


def test_the_whole_window_follows_the_slider_through_300_boxes(driver: Driver) -> None:
    viewer = driver.window.viewer
    viewer.events.handle(many_detections(300))
    times = []
    for step in range(40):
        started = time.perf_counter()
        viewer.choosing.set_threshold(step / 100 + 0.005)
        times.append(time.perf_counter() - started)
    assert sorted(times)[len(times) // 2] < 0.016


LATENESS = """
import sys, time
sys.path.insert(0, sys.argv[3])
import torch, transformers  # only importing torch may hold the interpreter longer
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication
from desktop.app import build
window = build([sys.argv[1], "--model", sys.argv[2]])
window.show()
QApplication.processEvents()
late, last = [], [time.perf_counter()]
def tick():
    now = time.perf_counter()
    late.append(now - last[0] - 0.05)
    last[0] = now
    state = window.viewer.state
    if state.detections is not None and state.stage is None:
        print(int(max(late) * 1000))
        window.close()
        QApplication.quit()
timer = QTimer(); timer.setInterval(50); timer.timeout.connect(tick); timer.start()
last[0] = time.perf_counter()
QApplication.exec()
"""


def test_a_timer_of_50_ms_is_never_200_ms_late_while_a_model_loads_and_runs(tmp_path: Path, tiny_detr: Path) -> None:
    """The best of three: a machine under load delays every program."""
    Image.effect_noise((4000, 3000), 60).convert("RGB").save(tmp_path / "large.jpg")
    command = [sys.executable, "-c", LATENESS, str(tmp_path / "large.jpg"), str(tiny_detr), str(PROJECT)]
    lateness = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
        lateness.append(int(done.stdout.strip().splitlines()[-1]))
        if lateness[-1] < 200:
            return
    pytest.fail(f"late by {lateness} ms")


LATENESS_OF_MANY = LATENESS.replace(
    "if state.detections is not None and state.stage is None:",
    "if state.detections is not None and window.viewer.batch.state is None:\n"
    "        window.viewer.detect_all(); late.clear()\n"
    "    elif window.viewer.batch.state is not None and not window.viewer.batch.state.is_running:",
)


def test_the_timer_is_in_time_while_all_are_detected_in(tmp_path: Path, tiny_detr: Path) -> None:
    """The best of three: a machine under load delays every program."""
    for at in range(5):
        Image.effect_noise((3000, 2000 + at), 60).convert("RGB").save(tmp_path / f"{at}.jpg")
    command = [sys.executable, "-c", LATENESS_OF_MANY, str(tmp_path), str(tiny_detr), str(PROJECT)]
    lateness = []
    for attempt in range(3):
        environment = {**os.environ, "DETRDESK_HOME": str(tmp_path / f"home {attempt}")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
        lateness.append(int(done.stdout.strip().splitlines()[-1]))
        if lateness[-1] < 200:
            return
    pytest.fail(f"late by {lateness} ms")


def test_the_window_shows_before_torch_is_imported() -> None:
    code = (
        "import sys; from desktop.app import build; from PyQt5.QtWidgets import QApplication\n"
        "window = build([]); window.show(); window.repaint()\n"
        "print(sorted({'torch', 'transformers', 'openvino'} & set(sys.modules))); window.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
