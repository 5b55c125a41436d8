"""Prefetch: images that are opened before they are asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop.viewer import prefetch
from desktop.viewer.detection_runner import DetectionRunner, Done, Opened, Recalled, Request
from desktop.viewer.prefetch import Prefetch, Ready
from desktop.work.task_runner import running_threads
from engine.detect.detection import Detections
from engine.detect.preprocess import IMAGENET_MEAN, IMAGENET_STD
from engine.detect.recipe import Prepared
from engine.engine import Engine
from engine.image.opened import ImageFile
from engine.image.source import Source, parse_source
from engine.inference.scheduler import Cancelled
from engine.review.cache import DetectionCache
from engine.runtimes.detector import Detector
from engine.settings import Settings
from tests.engine.inference.conversion import converting_by, starts_no_helper

NEVER: Cancelled = bool
SIDE = 100
IMAGE_BYTES = SIDE * SIDE * 8


@pytest.fixture
def ahead(engine: Engine) -> Iterator[Prefetch]:
    ahead = Prefetch(engine)
    yield ahead
    assert ahead.stop(10)


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Six images of 100 x 100, each of another content."""
    found = []
    for at in range(6):
        Image.new("RGB", (SIDE, SIDE), (at * 40, 80, 90)).save(tmp_path / f"{at}.png")
        found.append(parse_source(tmp_path / f"{at}.png"))
    return found


@pytest.fixture
def reads() -> Iterator[list[str]]:
    """The names of the images that are read, in order."""
    names: list[str] = []
    read = Engine.read

    def noted(self: Engine, source: Source, cancelled: Cancelled = NEVER) -> ImageFile:
        names.append(source.name)
        return read(self, source, cancelled)

    with patch.object(Engine, "read", noted):
        yield names


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def ready_names(ahead: Prefetch) -> set[str]:
    return {each.image.source.name for each in ahead.ready}


def taken(ahead: Prefetch, source: Source) -> Ready:
    ready = ahead.take(source, NEVER)
    assert ready is not None
    return ready


def test_what_is_expected_is_ready_and_detected_in(ahead: Prefetch, engine: Engine, sources: list[Source]) -> None:
    engine.load()
    ahead.expect(sources[:3], engine.default_model)
    wait_until(lambda: ready_names(ahead) == {"0.png", "1.png", "2.png"})
    ready = taken(ahead, sources[1])
    assert ready.image.source is sources[1]
    assert ready.canvas_image.width() == SIDE
    wait_until(lambda: all(engine.known.recall(taken(ahead, source).image) is not None for source in sources[:3]))


def test_a_model_that_is_not_in_memory_stays_out(ahead: Prefetch, engine: Engine, sources: list[Source]) -> None:
    ahead.expect(sources[:1], engine.default_model)
    wait_until(lambda: ready_names(ahead) == {"0.png"})
    time.sleep(0.1)
    assert engine.loaded(engine.default_model) is None


def test_a_file_that_changed_since_is_not_taken(ahead: Prefetch, engine: Engine, sources: list[Source]) -> None:
    ahead.expect(sources[:2], engine.default_model)
    wait_until(lambda: len(ready_names(ahead)) == 2)
    Image.new("RGB", (50, 50)).save(sources[0].location)
    Path(sources[1].location).unlink()
    assert ahead.take(sources[0], NEVER) is None
    assert ahead.take(sources[1], NEVER) is None


def test_jumping_elsewhere_lets_go_of_the_rest_but_not_of_what_is_shown(
    ahead: Prefetch, engine: Engine, sources: list[Source]
) -> None:
    ahead.expect(sources[:3], engine.default_model)
    wait_until(lambda: len(ready_names(ahead)) == 3)
    taken(ahead, sources[1])
    ahead.expect(sources[4:], engine.default_model)
    wait_until(lambda: ready_names(ahead) == {"1.png", "4.png", "5.png"})


def test_nothing_more_is_begun_while_the_user_waits(
    ahead: Prefetch, engine: Engine, sources: list[Source], reads: list[str]
) -> None:
    go = threading.Event()
    with patch.object(prefetch, "to_qimage", lambda image: go.wait(20) and prefetch.QImage()):
        ahead.expect(sources[:3], engine.default_model)
        wait_until(lambda: reads == ["0.png"])
        ahead.hold(sources[5])
        go.set()
        time.sleep(0.2)
    assert reads == ["0.png"]


def test_who_asks_for_the_image_that_is_being_opened_gets_that_one(
    ahead: Prefetch, engine: Engine, sources: list[Source], reads: list[str]
) -> None:
    with patch.object(Engine, "decode", autospec=True, side_effect=slowly(Engine.decode)):
        ahead.expect(sources[:3], engine.default_model)
        wait_until(lambda: reads == ["0.png"])
        ahead.hold(sources[0])
        assert taken(ahead, sources[0]).image.source is sources[0]
    assert reads == ["0.png"]


def slowly(function: Callable[..., object]) -> Callable[..., object]:
    def slow(*given: object) -> object:
        time.sleep(0.2)
        return function(*given)

    return slow


def test_memory_is_bounded_and_the_likeliest_have_it(ahead: Prefetch, engine: Engine, sources: list[Source]) -> None:
    with patch.object(prefetch, "MOST_BYTES", 2 * IMAGE_BYTES):
        ahead.expect(sources[:4], engine.default_model)
        wait_until(lambda: ready_names(ahead) == {"0.png", "1.png"})
        ahead.expect([sources[2], sources[0], sources[1]], engine.default_model)
        wait_until(lambda: ready_names(ahead) == {"2.png", "0.png"})


def test_a_large_image_waits_until_it_is_asked_for(ahead: Prefetch, engine: Engine, sources: list[Source]) -> None:
    Image.new("RGB", (SIDE, SIDE + 1)).save(sources[0].location)
    with patch.object(prefetch, "LARGEST_IMAGE", SIDE * SIDE):
        ahead.expect(sources[:2], engine.default_model)
        wait_until(lambda: ready_names(ahead) == {"1.png"})
        assert ahead.take(sources[0], NEVER) is None


def test_a_large_image_that_was_shown_does_not_stay(ahead: Prefetch, engine: Engine, sources: list[Source]) -> None:
    shown = prefetch.open_ready(engine, sources[0], NEVER)
    ahead.set_shown(shown)
    ahead.set_shown(prefetch.open_ready(engine, sources[1], NEVER))
    with patch.object(prefetch, "LARGEST_IMAGE", 10):
        ahead.expect([sources[2], sources[0]], engine.default_model)
    assert ready_names(ahead) == {"1.png"}


def test_without_anything_expected_only_what_is_shown_and_was_shown_before_is_kept(
    ahead: Prefetch, engine: Engine, sources: list[Source]
) -> None:
    for source in sources:
        ahead.set_shown(prefetch.open_ready(engine, source, NEVER))
    assert ready_names(ahead) == {"4.png", "5.png"}


def test_at_most_two_urls_are_fetched_and_failures_are_silent(
    ahead: Prefetch, engine: Engine, sources: list[Source], reads: list[str]
) -> None:
    urls = [parse_source(f"http://127.0.0.1:9/{at}.png") for at in range(3)]
    ahead.expect([*urls, sources[0]], engine.default_model)
    wait_until(lambda: ready_names(ahead) == {"0.png"})
    assert reads == ["0.png", "1.png", "0.png"]


def test_it_ends_in_the_middle(engine: Engine, sources: list[Source]) -> None:
    ahead = Prefetch(engine)
    with patch.object(Engine, "decode", autospec=True, side_effect=slowly(Engine.decode)):
        ahead.expect(sources, engine.default_model)
        time.sleep(0.05)
        assert ahead.stop(10)
    assert ahead.ready == ()
    ahead.expect(sources, engine.default_model)
    assert "prefetch" not in running_threads()


def test_it_waits_for_no_conversion_and_begins_none(tiny_detr: Path, tmp_path: Path, sources: list[Source]) -> None:
    """With the runtime `openvino`, who asks a model that is not in memory waits until it is converted."""
    cache = DetectionCache(tmp_path / "cache" / "detections.sqlite")
    engine = Engine(Settings(model=str(tiny_detr), runtime="openvino", device="cpu"), cache)
    ahead = Prefetch(engine)
    with starts_no_helper():
        ahead.expect(sources[:1], engine.default_model)
        wait_until(lambda: ready_names(ahead) == {"0.png"})
        assert ahead.stop(10)
    assert engine.runtime_state().conversion == "none"
    engine.close()


@pytest.mark.alone
def test_it_ends_at_once_even_where_it_came_to_wait_for_one(
    tiny_detr: Path, tmp_path: Path, sources: list[Source]
) -> None:
    """The model was unloaded just after it was seen in memory."""
    cache = DetectionCache(tmp_path / "cache" / "detections.sqlite")
    engine = Engine(Settings(model=str(tiny_detr), runtime="openvino", device="cpu"), cache)
    ahead = Prefetch(engine)
    converting, go_on = threading.Event(), threading.Event()

    def converts(*_: object) -> dict[str, str]:
        converting.set()
        go_on.wait(30)
        return {"failed": "it is a test"}

    with converting_by(converts), patch.object(Engine, "loaded", return_value=object()):
        ahead.expect(sources[:1], engine.default_model)
        assert converting.wait(10)
        began = time.monotonic()
        assert ahead.stop(10)
        assert time.monotonic() - began < 1
        go_on.set()
    engine.close()


MODEL_SECONDS = 0.4


def place_of(prepared: Prepared) -> int:
    """Which of the sources it is: their red tells."""
    red = prepared.tensors["pixel_values"][0, 0, 0, 0] * IMAGENET_STD[0] + IMAGENET_MEAN[0]
    return round(red * 255 / 40)


def slow_model(self: Detector, prepared: Prepared, detect: object = Detector.detect) -> Detections:
    time.sleep(MODEL_SECONDS)
    return detect(self, prepared)  # type: ignore[operator,no-any-return]


def test_the_next_image_is_answered_at_once_where_it_was_expected(
    qtbot: QtBot, engine: Engine, sources: list[Source]
) -> None:
    """With a model of 0.4 s: well under 100 ms when expected, 0.4 s when not; the best of some."""
    runner = DetectionRunner(engine)
    events: list[object] = []
    runner.happened.connect(events.append)
    model = engine.default_model

    def seconds_to(source: Source) -> float:
        events.clear()
        started = time.perf_counter()
        runner.ask(Request(model, source=source))
        qtbot.waitUntil(lambda: Done() in events, timeout=30_000)
        return time.perf_counter() - started

    def is_known(source: Source) -> bool:
        return engine.known.recall(engine.read(source)) is not None

    try:
        with patch.object(Detector, "detect", slow_model):
            without = min(seconds_to(sources[0]), seconds_to(sources[1]))
            runner.expect(sources[2:5], model)
            qtbot.waitUntil(lambda: all(map(is_known, sources[2:5])), timeout=30_000)
            expected = min(seconds_to(source) for source in sources[2:5])
        assert [type(event) for event in events if isinstance(event, Opened | Recalled)] == [Opened, Recalled]
        assert without >= MODEL_SECONDS
        assert expected < 0.1
    finally:
        assert runner.stop(10)


def test_the_users_own_request_does_not_wait_for_what_is_expected(
    qtbot: QtBot, engine: Engine, sources: list[Source]
) -> None:
    """It waits for the one image that is being looked at, at most."""
    runner = DetectionRunner(engine)
    done: list[object] = []
    runner.happened.connect(lambda event: done.append(event) if isinstance(event, Done) else None)
    engine.load()
    looked_at: list[int] = []

    def noted(self: Detector, prepared: Prepared) -> Detections:
        looked_at.append(place_of(prepared))
        return slow_model(self, prepared)

    try:
        with patch.object(Detector, "detect", noted):
            runner.expect(sources[:4], engine.default_model)
            wait_until(lambda: looked_at == [0])
            runner.ask(Request(engine.default_model, source=sources[5]))
            qtbot.waitUntil(lambda: bool(done), timeout=30_000)
        assert looked_at == [0, 5]
    finally:
        assert runner.stop(10)
