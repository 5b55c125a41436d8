"""Many images, one after the other."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from engine import Engine
from engine.batch.detect_many import Answer, Failure, detect_many
from engine.detect.detection import Detections
from engine.detect.recipe import Prepared, Tensors
from engine.errors import DetectionError, ModelError
from engine.image.listing import expand_sources
from engine.image.opened import ImageFile, OpenedImage
from engine.image.source import Source
from engine.inference import batcher
from engine.inference.scheduler import Cancelled
from engine.review.cache import DetectionCache
from engine.runtimes.detector import Detector
from engine.runtimes.torch_runtime import TorchRuntime
from engine.settings import Settings


@pytest.fixture
def engine(tiny_detr: Path, tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(Settings(model=str(tiny_detr)), DetectionCache(tmp_path / "detections.sqlite"))
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight images, each of another size."""
    folder = tmp_path / "many"
    folder.mkdir()
    for at in range(8):
        Image.new("RGB", (40 + at, 30), (at * 20, 80, 90)).save(folder / f"{at}.png")
    return folder


def sources_in(folder: Path) -> list[Source]:
    return expand_sources([folder])


def test_answers_come_in_order_and_failures_stand_in_their_place(engine: Engine, folder: Path) -> None:
    (folder / "3.png").write_text("<html>")
    outcomes = list(detect_many(engine, sources_in(folder)))
    assert [outcome.source.name for outcome in outcomes] == [f"{at}.png" for at in range(8)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert [(each.source.name, each.error.code) for each in failed] == [("3.png", "not_an_image")]
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    assert [answer.found.width for answer in answers] == [40, 41, 42, 44, 45, 46, 47]
    expected = engine.detect(folder / "5.png")
    assert answers[4].found.boxes.tolist() == expected.boxes.tolist()
    assert not any(answer.is_known for answer in answers)


def test_what_is_known_is_neither_decoded_nor_detected_in_again(engine: Engine, folder: Path) -> None:
    first = list(detect_many(engine, sources_in(folder)))
    with (
        patch.object(Detector, "detect", side_effect=AssertionError("ran the model")),
        patch.object(Engine, "decode", side_effect=AssertionError("decoded")),
    ):
        again = list(detect_many(engine, sources_in(folder)))
    assert all(isinstance(outcome, Answer) and outcome.is_known for outcome in again)
    assert [each.found.scores.tolist() for each in again] == [each.found.scores.tolist() for each in first]
    assert not any(outcome.is_known for outcome in detect_many(engine, sources_in(folder), fresh=True))


def test_only_a_few_images_are_opened_ahead(engine: Engine, folder: Path) -> None:
    outcomes = detect_many(engine, sources_in(folder))
    opened: list[str] = []
    read = Engine.read

    def noted(self: Engine, source: Source, cancelled: Cancelled) -> ImageFile:
        opened.append(source.name)
        return read(self, source, cancelled)

    with patch.object(Engine, "read", noted):
        next(outcomes)
        time.sleep(0.3)
        assert len(opened) <= 4
        outcomes.close()
    assert len(opened) <= 4


def test_images_are_opened_while_the_model_runs(engine: Engine, folder: Path) -> None:
    detect, decode = Detector.detect, Engine.decode
    second_is_open = threading.Event()

    def slow(self: Detector, prepared: Prepared) -> Detections:
        assert second_is_open.wait(10), "nothing was opened while the model ran"
        return detect(self, prepared)

    def noted(self: Engine, file: ImageFile, *rest: int) -> OpenedImage:
        if file.source.name == "1.png":
            second_is_open.set()
        return decode(self, file, *rest)

    with patch.object(Detector, "detect", slow), patch.object(Engine, "decode", noted):
        assert len(list(detect_many(engine, sources_in(folder)))) == 8


def test_a_large_image_waits_for_its_turn_undecoded(engine: Engine, folder: Path) -> None:
    with patch("engine.batch.detect_many._LARGEST_AHEAD", 42 * 30):
        outcomes = list(detect_many(engine, sources_in(folder)))
    assert [outcome.found.width for outcome in outcomes] == list(range(40, 48))


def test_cancelling_ends_it_and_leaves_no_thread(engine: Engine, folder: Path) -> None:
    before = threading.active_count()
    seen: list[object] = []
    for outcome in detect_many(engine, sources_in(folder), cancelled=lambda: len(seen) == 2):
        seen.append(outcome)
    assert len(seen) == 2
    assert threading.active_count() == before


def test_a_model_that_cannot_be_loaded_ends_it_at_once(
    engine: Engine, folder: Path, tiny_detr: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(tiny_detr, tmp_path / "broken")
    (broken / "config.json").unlink()
    with pytest.raises(ModelError):
        list(detect_many(engine, sources_in(folder), str(broken)))
    with pytest.raises(ModelError, match="nothing-here"):
        list(detect_many(engine, sources_in(folder), "nothing-here"))


def test_the_windows_own_request_overtakes(engine: Engine, folder: Path, image_file: Path) -> None:
    """It waits for the image that is being looked at, not for the list."""
    sizes: list[int] = []
    detect = Detector.detect
    running = threading.Event()

    def slow(self: Detector, prepared: Prepared) -> Detections:
        sizes.append(prepared.width)
        running.set()
        time.sleep(0.1)
        return detect(self, prepared)

    engine.load()
    with patch.object(Detector, "detect", slow):
        batch = threading.Thread(target=lambda: list(detect_many(engine, sources_in(folder))))
        batch.start()
        assert running.wait(10)
        engine.detect_known(engine.open(image_file))
        batch.join()
    assert len(sizes) == 9
    assert sizes.index(320) <= 3


@pytest.fixture
def together(engine: Engine) -> Iterator[list[int]]:
    """How many images the model answered at a time, which may be four."""
    runtime = engine.load().runtime
    assert isinstance(runtime, TorchRuntime)
    runtime._largest_batch = 4
    sizes: list[int] = []
    detect_batch = Detector.detect_batch

    def noted(self: Detector, images: Iterable[Prepared]) -> list[Detections]:
        taken = list(images)
        sizes.append(len(taken))
        return detect_batch(self, taken)

    with patch.object(Detector, "detect_batch", noted):
        yield sizes


@pytest.fixture
def alike(tmp_path: Path) -> Path:
    """Twelve images of one size, of which the sixth cannot be read."""
    folder = tmp_path / "alike"
    folder.mkdir()
    for at in range(12):
        Image.effect_noise((40, 30), at * 9).convert("RGB").save(folder / f"{at:02}.png")
    (folder / "05.png").write_text("<html>")
    return folder


def slow_to_take(outcomes: Iterator[Answer | Failure]) -> list[Answer | Failure]:
    """All of them, taken so slowly that the next ones are always prepared."""
    taken = []
    for outcome in outcomes:
        taken.append(outcome)
        time.sleep(0.05)
    return taken


def test_images_alike_are_answered_together_and_told_in_order(engine: Engine, alike: Path, together: list[int]) -> None:
    outcomes = slow_to_take(detect_many(engine, sources_in(alike)))
    assert [outcome.source.name for outcome in outcomes] == [f"{at:02}.png" for at in range(12)]
    assert [type(outcome) for outcome in outcomes] == [Answer] * 5 + [Failure] + [Answer] * 6
    assert max(together) >= 4
    for outcome in outcomes:
        if isinstance(outcome, Answer):
            expected = engine.detect(alike / outcome.source.name)
            assert np.abs(outcome.found.scores - expected.scores).max() < 1e-5
            assert outcome.found.timing.decode > 0
    again = list(detect_many(engine, sources_in(alike)))
    assert all(outcome.is_known for outcome in again if isinstance(outcome, Answer))


def test_large_images_are_answered_one_by_one(engine: Engine, alike: Path, together: list[int]) -> None:
    with patch("engine.batch.detect_many._BATCH_PIXELS", 2 * 40 * 30 - 1):
        assert len(slow_to_take(detect_many(engine, sources_in(alike)))) == 12
    assert together == []


def test_what_fails_together_is_asked_about_one_by_one(engine: Engine, alike: Path, together: list[int]) -> None:
    failure = DetectionError("device_failed", "The model failed.")
    with patch.object(TorchRuntime, "_run", side_effect=failure):
        failures = slow_to_take(detect_many(engine, sources_in(alike)))
    assert [outcome.error.code for outcome in failures if isinstance(outcome, Failure)].count("device_failed") == 11
    run = TorchRuntime._run

    def fails(self: TorchRuntime, images: Sequence[Tensors]) -> list[Tensors]:
        if len(images) > 1:
            raise failure
        return run(self, images)

    together.clear()
    with patch.object(TorchRuntime, "_run", fails):
        outcomes = slow_to_take(detect_many(engine, sources_in(alike)))
    assert [outcome.source.name for outcome in outcomes if isinstance(outcome, Failure)] == ["05.png"]
    assert max(together) > 1


def test_cancelling_in_the_middle_of_a_group_is_heeded(engine: Engine, alike: Path, together: list[int]) -> None:
    taken: list[object] = []
    fitting = batcher._fitting

    def noted(asked: batcher.PendingImage, detector: Detector) -> Prepared:
        taken.append(asked)
        return fitting(asked, detector)

    with patch.object(batcher, "_fitting", noted):
        outcomes = list(detect_many(engine, sources_in(alike), cancelled=lambda: len(taken) == 3))
    assert len(outcomes) == 3  # what was answered is told, and known
    assert all(engine.known.recall(engine.read(outcome.source)) is not None for outcome in outcomes)
    engine.detect(alike / "00.png")  # the turn was given back


def test_images_that_are_large_together_are_not_opened_far_ahead(
    engine: Engine, alike: Path, together: list[int]
) -> None:
    opened: list[str] = []
    decode = Engine.decode

    def noted(self: Engine, file: ImageFile, *rest: int) -> OpenedImage:
        opened.append(file.source.name)
        return decode(self, file, *rest)

    def ahead(pixels: int) -> int:
        opened.clear()
        engine.load().runtime._largest_batch = 8
        with patch.object(Engine, "decode", noted), patch("engine.batch.detect_many._BATCH_PIXELS", pixels):
            outcomes = detect_many(engine, sources_in(alike), fresh=True)
            told = [next(outcomes)]
            time.sleep(0.3)
            outcomes.close()
        assert told
        return len(opened)

    assert ahead(2 * 40 * 30) < ahead(1000 * 40 * 30)


def test_others_come_in_between(engine: Engine, alike: Path, together: list[int]) -> None:
    """A turn ends when somebody waits for one."""
    waited: list[float] = []

    def ask() -> None:
        started = time.monotonic()
        with engine.scheduler.turn():
            waited.append(time.monotonic() - started)

    run = TorchRuntime._run

    def slow(self: TorchRuntime, images: Sequence[Tensors]) -> list[Tensors]:
        if not waited:
            threading.Thread(target=ask).start()
        time.sleep(0.1)
        return run(self, images)

    with patch.object(TorchRuntime, "_run", slow):
        outcomes = slow_to_take(detect_many(engine, sources_in(alike)))
    assert len(outcomes) == 12
    assert waited
