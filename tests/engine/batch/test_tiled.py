"""Tiled detection with real models, and what it leaves to others meanwhile."""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch
from weakref import ReferenceType, ref

import pytest
import segno
from PIL import Image

from engine import Engine
from engine.batch.detect_many import Answer, detect_many
from engine.batch.tiled import detect_tiled, pace
from engine.detect.detection import Box, Detection, Detections
from engine.detect.recipe import Prepared
from engine.detect.tiling import Tiling, tiles
from engine.errors import CancelledError
from engine.image.listing import expand_sources
from engine.image.opened import OpenedImage
from engine.image.source import Source
from engine.inference.scheduler import Cancelled, Rank, Reservation, Scheduler
from engine.models.last_times import LastTime
from engine.review.cache import DetectionCache
from engine.review.refine import pairwise_iou
from engine.runtimes.detector import Detector
from engine.settings import Settings

TILING = Tiling(384)
SMALL_ONES = [(300, 200), (500, 900), (1000, 1500), (1800, 2300), (2500, 700), (3100, 450), (3700, 2700)]
CELL, SMALL, LARGE = 21, 6, 40
"""A code of version 1 has 21 x 21 modules; pixels of a module."""


@pytest.fixture
def engine(tiny_detr: Path, tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(Settings(model=str(tiny_detr)), DetectionCache(tmp_path / "detections.sqlite"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def canvas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4000 x 3000 pixels with seven small codes and a large one."""
    image = Image.new("RGB", (4000, 3000), (196, 188, 170))
    for left, top in SMALL_ONES:
        image.paste(code(SMALL), (left, top))
    image.paste(code(LARGE), (2000, 1300))
    path = tmp_path_factory.mktemp("canvas") / "canvas.png"
    image.save(path, compress_level=1)
    return path


def code(scale: int) -> Image.Image:
    """A QR code with its quiet zone of 4 modules."""
    written = io.BytesIO()
    segno.make("detr", version=1).save(written, kind="png", scale=scale, border=4)
    return Image.open(written).convert("RGB")


def box_of(corner: tuple[int, int], scale: int) -> Box:
    left, top = (edge + 4 * scale for edge in corner)
    return left, top, left + CELL * scale, top + CELL * scale


def is_at(found: Detection, box: Box, pixels: float) -> bool:
    return all(abs(edge - wanted) <= pixels for edge, wanted in zip(found.box, box, strict=True))


def opened(width: int, height: int, content_hash: str = "") -> OpenedImage:
    pixels = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    return OpenedImage(Source("path", "made", "made"), pixels, 1.0, content_hash)


@contextmanager
def counted() -> Iterator[list[tuple[int, int]]]:
    """The sizes of the images that a model answers for, in the block."""
    seen: list[tuple[int, int]] = []
    detect = Detector.detect

    def noted(self: Detector, prepared: Prepared) -> Detections:
        seen.append((prepared.width, prepared.height))
        return detect(self, prepared)

    with patch.object(Detector, "detect", noted):
        yield seen


@pytest.fixture(scope="module")
def answers(session_engine: Engine, canvas: Path) -> tuple[Detections, Detections]:
    """What the starter finds in the canvas as a whole, and in its tiles."""
    image = session_engine.open(canvas)
    return session_engine.detect_in(image, "starter"), detect_tiled(session_engine, image, "starter", TILING)


def test_small_codes_that_the_plain_run_misses_are_found_where_they_are(answers: tuple[Detections, Detections]) -> None:
    plain, found = (each.above(0.3) for each in answers)
    boxes = [box_of(corner, SMALL) for corner in SMALL_ONES]
    hits = [[each for each in found if is_at(each, box, 20)] for box in boxes]
    assert not any(is_at(each, box, 40) for each in plain for box in boxes)
    assert sum(bool(hit) for hit in hits) >= 6
    assert sum(any(each.label == "qr_code" for each in hit) for hit in hits) >= 5


def test_a_large_code_is_still_found_and_nothing_twice(answers: tuple[Detections, Detections]) -> None:
    plain, everything = answers
    found = everything.above(0.3)
    large = [each for each in found if each.label == "qr_code" and each.box[2] - each.box[0] > 500]
    assert len(large) == 1
    assert large[0].box in [each.box for each in plain]
    codes = found.boxes[[each.label == "qr_code" for each in found]]
    assert (pairwise_iou(codes, codes) > 0.5).sum() == len(codes)
    assert everything.indices.tolist() == list(range(len(everything)))
    assert (everything.width, everything.height, everything.model) == (4000, 3000, "starter")


def test_the_times_are_those_of_all_tiles(engine: Engine) -> None:
    image = opened(1600, 900)
    with counted() as seen:
        found = detect_tiled(engine, image, tiling=Tiling(320))
    takes = engine.recipe().preprocessing.input_size(1600, 900)
    assert seen == [(1600, 900)] + [(320, 320)] * len(tiles(1600, 900, takes, Tiling(320)))
    one = engine.detect_in(image).timing
    assert found.timing.decode == 1.0
    assert found.timing.model > 3 * one.model
    assert min(found.timing.preprocess, found.timing.postprocess) > 0


def test_without_tiles_it_is_the_plain_answer(engine: Engine) -> None:
    large, small = opened(1600, 900), opened(300, 200)
    with counted() as seen:
        plain = detect_tiled(engine, large, tiling=None)
        untiled = detect_tiled(engine, small, tiling=Tiling(124))
    assert seen == [(1600, 900), (300, 200)]
    assert plain.tiling is None
    assert untiled.tiling == Tiling(124)
    assert untiled.boxes.tolist() == engine.detect_in(small).boxes.tolist()


def test_tiled_answers_are_known_apart_from_plain_ones_and_of_other_tiles(engine: Engine) -> None:
    image = opened(1600, 900, "0" * 32)
    assert engine.known.recall(image, tiling=Tiling(320)) is None
    found = detect_tiled(engine, image, tiling=Tiling(320))
    with patch.object(Detector, "detect", side_effect=AssertionError("ran the model")):
        again = detect_tiled(engine, image, tiling=Tiling(320))
        plain = engine.detect_known(image)  # the whole image was looked at, too
    assert again.boxes.tolist() == found.boxes.tolist() != plain.boxes.tolist()
    assert (again.tiling, plain.tiling) == (Tiling(320), None)
    assert engine.known.recall(image, tiling=Tiling(400)) is None
    assert engine.known.recall(image, tiling=Tiling(320, 0.3)) is None
    with counted() as seen:
        detect_tiled(engine, image, tiling=Tiling(320), fresh=True)
    assert len(seen) == 1 + 24


def test_a_small_image_takes_the_plain_answer_that_is_known(engine: Engine) -> None:
    image = opened(300, 200, "1" * 32)
    engine.detect_known(image)
    with patch.object(Detector, "detect", side_effect=AssertionError("ran the model")):
        detect_tiled(engine, image, tiling=Tiling(124))
        assert engine.known.recall(image, tiling=Tiling(124)) is not None


def test_it_is_told_which_tile_is_looked_at_and_given_up_between_two(engine: Engine) -> None:
    image = opened(1600, 900, "2" * 32)
    told: list[tuple[int, int]] = []
    with counted() as seen, pytest.raises(CancelledError):
        detect_tiled(
            engine,
            image,
            tiling=Tiling(320),
            cancelled=lambda: len(told) == 3,
            progress=lambda at, of: told.append((at, of)),
        )
    assert told == [(1, 24), (2, 24), (3, 24)]
    assert len(seen) == 1 + 2
    assert engine.known.recall(image, tiling=Tiling(320)) is None


def test_others_have_their_turns_between_the_tiles(engine: Engine) -> None:
    order: list[str] = []
    turn = Scheduler.turn

    @contextmanager
    def noted(self: Scheduler, cancelled: Cancelled = bool, reservation: Reservation | None = None) -> Iterator[None]:
        with turn(self, cancelled, reservation):
            order.append(threading.current_thread().name)
            yield

    engine.load()
    image, other = opened(1600, 900), opened(200, 200)
    started = threading.Event()

    def tiled() -> None:
        reservation = engine.scheduler.behind(Rank.MANY)
        detect_tiled(engine, image, None, Tiling(320), reservation=reservation, progress=lambda at, of: started.set())

    with patch.object(Scheduler, "turn", noted):
        thread = threading.Thread(target=tiled, name="tiles")
        thread.start()
        assert started.wait(30)
        engine.detect_in(other)
        thread.join(60)
    assert order.count("tiles") == 25
    assert order[-1] == "tiles"
    assert order.index("MainThread") < 25


def test_what_tiles_cost_is_known_once_the_model_has_answered(engine: Engine) -> None:
    image = opened(1600, 900)
    with patch("engine.batch.tiled.last_time", return_value=None):
        first = pace(engine, image, engine.default_model)
    assert first is not None
    assert (first.tiles(Tiling(320)), first.seconds(Tiling(320))) == (24, None)
    assert first.tiles(Tiling(1600)) == 0
    with patch("engine.batch.tiled.last_time", return_value=LastTime(500.0, "torch", "cpu", 0.0)):
        then = pace(engine, image, engine.default_model)
    assert then == replace(first, milliseconds=500.0)
    assert then.seconds(Tiling(320)) == 12.5
    assert pace(engine, image, "nothing-here") is None


def test_many_images_are_cut_as_one_is_and_known_the_next_time(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for name, size in (("large", (1000, 800)), ("small", (200, 150))):
        Image.linear_gradient("L").resize(size).convert("RGB").save(folder / f"{name}.png")
    sources = expand_sources([folder])
    first = [each for each in detect_many(engine, sources, tiling=Tiling(320)) if isinstance(each, Answer)]
    alone = detect_tiled(engine, engine.open(sources[0]), tiling=Tiling(320), fresh=True)
    assert first[0].found.boxes.tolist() == alone.boxes.tolist()
    again = [each for each in detect_many(engine, sources, tiling=Tiling(320)) if isinstance(each, Answer)]
    assert [each.is_known for each in (*first, *again)] == [False, False, True, True]
    assert all(each.found.tiling == Tiling(320) for each in again)


def test_no_two_tiles_are_in_memory_at_once(engine: Engine) -> None:
    image = opened(4000, 3000)
    plain = engine.detect_in(opened(200, 200))
    cut: list[ReferenceType[Image.Image]] = []

    def answer(_engine: Engine, part: OpenedImage, *_rest: object) -> Detections:
        gc.collect()
        assert not any(former() for former in cut)
        assert part.pixels.size == (640, 640)
        cut.append(ref(part.pixels))
        return replace(plain, width=640, height=640)

    with patch.object(Engine, "detect_in", answer):
        detect_tiled(engine, image, tiling=Tiling(640))
    assert len(cut) == 48
