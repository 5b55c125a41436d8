"""Several images in one turn at the model: which ones share it, and what happens where that fails."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from engine import Engine
from engine.detect.agreement import difference
from engine.detect.detection import Detections
from engine.detect.recipe import Prepared, Tensors
from engine.errors import CancelledError, DetectionError
from engine.image.opened import OpenedImage
from engine.image.source import parse_source
from engine.inference.scheduler import Rank
from engine.review.cache import DetectionCache
from engine.runtimes.detector import Detector
from engine.runtimes.torch_runtime import HALF_PIXELS, HALF_SCORE, TorchRuntime
from engine.settings import Settings


class Groups:
    """Which images the model was given at a time, by the red of their first pixel."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def note(self, images: Iterable[Prepared]) -> None:
        first = [float(each.tensors["pixel_values"][0, 0, 0, 0]) for each in images]
        self.seen.append([round((value * 0.229 + 0.485) * 255) for value in first])


@pytest.fixture
def engine(tiny_detr: Path) -> Iterator[Engine]:
    engine = Engine(Settings(model=str(tiny_detr), runtime="torch"))
    runtime = engine.load().runtime
    assert isinstance(runtime, TorchRuntime)
    runtime._largest_batch = 4  # as on a GPU
    yield engine
    engine.close()


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> Groups:
    groups = Groups()
    alone, together = Detector.detect, Detector.detect_batch

    def detect(self: Detector, prepared: Prepared) -> Detections:
        groups.note([prepared])
        return alone(self, prepared)

    def detect_batch(self: Detector, images: Iterable[Prepared]) -> list[Detections]:
        taken = list(images)
        groups.note(taken)
        return together(self, taken)

    monkeypatch.setattr(Detector, "detect", detect)
    monkeypatch.setattr(Detector, "detect_batch", detect_batch)
    return groups


def image_of(red: int, size: tuple[int, int] = (64, 48)) -> OpenedImage:
    noise = np.random.default_rng(red).integers(0, 256, (size[1], size[0], 3), np.uint8)
    noise[:8, :8] = red, 90, 90
    return OpenedImage(parse_source(b"x"), Image.fromarray(noise), 0.0)


class Crowd:
    """Threads that ask about an image each while somebody else has the turn."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.found: dict[int, Detections | Exception] = {}
        self._threads: list[threading.Thread] = []

    def ask(
        self,
        red: int,
        rank: Rank = Rank.API,
        size: tuple[int, int] = (64, 48),
        cancelled: Callable[[], bool] = bool,
    ) -> None:
        places = self.engine.scheduler.behind(rank)
        image = image_of(red, size)

        def wait() -> None:
            try:
                self.found[red] = self.engine.detect_in(image, None, cancelled, places)
            except Exception as error:
                self.found[red] = error

        waiting = len(self.engine.scheduler._model._waiting)
        self._threads.append(threading.Thread(target=wait))
        self._threads[-1].start()
        until = time.monotonic() + 10
        while len(self.engine.scheduler._model._waiting) == waiting and time.monotonic() < until:
            time.sleep(0.001)

    def join(self) -> dict[int, Any]:
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()
        return self.found


def assert_same(found: Detections, expected: Detections) -> None:
    apart = difference(found, expected)
    assert apart.score < 1e-5
    assert apart.pixels < 0.01


def test_those_that_wait_are_taken_along_and_each_has_its_own_answer(engine: Engine, groups: Groups) -> None:
    expected = {red: engine.detect_in(image_of(red)) for red in (10, 60, 110, 160, 210)}
    groups.seen.clear()
    crowd = Crowd(engine)
    with engine.scheduler.turn():
        for red in expected:
            crowd.ask(red)
    found = crowd.join()
    assert groups.seen == [[10, 60, 110, 160], [210]]
    for red, answer in expected.items():
        assert_same(found[red], answer)
        assert (found[red].model, found[red].runtime) == (answer.model, answer.runtime)
    assert not engine._batcher._pending


def test_nobody_waits_for_somebody_of_a_lower_rank(engine: Engine, groups: Groups) -> None:
    crowd = Crowd(engine)
    with engine.scheduler.turn():
        crowd.ask(60, Rank.MANY)
        crowd.ask(110, Rank.API)
        crowd.ask(160, Rank.MANY)
        crowd.ask(210, Rank.API)
    crowd.join()
    assert groups.seen == [[110, 210], [60, 160]]


def test_images_of_other_sizes_go_alone(engine: Engine, groups: Groups) -> None:
    crowd = Crowd(engine)
    with engine.scheduler.turn():
        crowd.ask(10)
        crowd.ask(60, size=(64, 20))
        crowd.ask(110)
    crowd.join()
    assert groups.seen == [[10, 110], [60]]


def test_who_gave_up_is_not_taken_along(engine: Engine, groups: Groups) -> None:
    gone: list[bool] = []
    crowd = Crowd(engine)
    with engine.scheduler.turn():
        crowd.ask(10)
        crowd.ask(60, cancelled=lambda: bool(gone))
        crowd.ask(110)
        gone.append(True)
    found = crowd.join()
    assert groups.seen == [[10, 110]]
    assert isinstance(found[60], CancelledError)


@pytest.mark.parametrize("message", ["out of memory", "an odd image"])
def test_where_they_fail_together_each_is_asked_about_alone(engine: Engine, groups: Groups, message: str) -> None:
    run = TorchRuntime._run

    def fails(self: TorchRuntime, images: Sequence[Tensors]) -> list[Tensors]:
        if len(images) > 1:
            with patch.object(self, "_model", side_effect=RuntimeError(message)):
                return run(self, images)
        return run(self, images)

    detector = engine.load()
    crowd = Crowd(engine)
    with patch.object(TorchRuntime, "_run", fails):
        with engine.scheduler.turn():
            for red in (10, 60, 110):
                crowd.ask(red)
        found = crowd.join()
    assert all(isinstance(each, Detections) for each in found.values())
    assert groups.seen[:2] == [[10, 60, 110], [10]]
    assert sorted(groups.seen[-1]) == [110]
    assert engine.load() is detector
    assert detector.runtime.batch_size == (1 if message == "out of memory" else 4)


def test_out_of_memory_alone_unloads_the_model(engine: Engine) -> None:
    detector = engine.load()
    with (
        patch.object(detector.runtime, "_model", side_effect=RuntimeError("out of memory")),
        pytest.raises(DetectionError, match="memory"),
    ):
        engine.detect_in(image_of(10))
    assert engine.loaded(engine.default_model) is None


def test_a_device_that_preprocesses_is_given_pixels_and_detects_the_same(engine: Engine, groups: Groups) -> None:
    """As on a GPU, but with PyTorch on the CPU."""
    images = [image_of(10, (640, 427)), image_of(60, (33, 500)), image_of(110, (1, 1))]
    expected = [engine.detect_in(image) for image in images]
    before = engine.prepare(images[0])
    detector = engine.load()
    assert isinstance(detector.runtime, TorchRuntime)
    assert detector.runtime.take_pixels(detector.recipe)  # type: ignore[arg-type]
    groups.note = lambda images: None  # type: ignore[method-assign]
    prepared = engine.prepare(images[0])
    assert prepared.prepared is not None
    assert prepared.prepared.is_pixels
    for image, answer in zip([prepared, *images[1:], before], [*expected, expected[0]], strict=True):
        far = difference(engine.detect_in(image), answer, HALF_SCORE)
        assert far.score <= HALF_SCORE
        assert far.pixels <= HALF_PIXELS
    group = [engine.prepare(image_of(red, (640, 427))) for red in (10, 60)]
    for found, image in zip(engine.detect_batch(group), group, strict=True):
        assert_same(found, engine.detect_in(image))


def test_pixels_are_prepared_for_a_model_that_does_not_take_them_any_more(engine: Engine) -> None:
    """E.g. after a GPU's memory was not enough and the settings say `cpu` now."""
    image = image_of(10, (640, 427))
    expected = engine.detect_in(image)
    runtime = engine.load().runtime
    assert isinstance(runtime, TorchRuntime)
    assert runtime.take_pixels(engine.load().recipe)  # type: ignore[arg-type]
    prepared = engine.prepare(image)
    engine._models.unload_all()
    assert engine.detect_in(prepared).scores.tolist() == expected.scores.tolist()


def test_a_group_is_not_kept_as_the_answers_of_another_model(tiny_detr: Path, tmp_path: Path) -> None:
    """Its name was given to another one while the model answered."""
    engine = Engine(Settings(model="m", runtime="torch"), DetectionCache(tmp_path / "detections.sqlite"))
    engine.catalog.put("m", tiny_detr)
    other = shutil.copytree(tiny_detr, tmp_path / "other")
    (other / "config.json").write_text((other / "config.json").read_text().replace("{", '{"note": 1,', 1))
    images = [replace(engine.prepare(image_of(red)), content_hash=f"{red:032x}") for red in (10, 60)]
    run = TorchRuntime._run

    def swapped(self: TorchRuntime, given: Sequence[Tensors]) -> list[Tensors]:
        engine.catalog.remove("m")
        engine.catalog.put("m", other)
        return run(self, given)

    with patch.object(TorchRuntime, "_run", swapped):
        assert len(engine.detect_batch(images)) == 2
    assert [engine.known.recall(image) for image in images] == [None, None]
    assert len(engine.detect_batch(images)) == 2
    assert None not in [engine.known.recall(image) for image in images]
    engine.close()
