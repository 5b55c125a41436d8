"""DetectionRunner: events, their order, and what cancels what."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop.state.viewer import Stage
from desktop.viewer.detection_runner import (
    AtTile,
    DetectionRunner,
    Done,
    Failed,
    Listed,
    ListedMore,
    Noted,
    Opened,
    Pointed,
    Recalled,
    Request,
)
from engine.detect.detection import Detections
from engine.detect.recipe import Prepared
from engine.detect.tiling import Pace, Tiling
from engine.engine import Engine
from engine.image.source import Source, parse_source
from engine.inference.scheduler import Cancelled
from engine.review.cache import DetectionCache
from engine.runtimes.detector import Detector
from engine.settings import Settings
from tests.engine.inference.conversion import converting_by


class Asked:
    """A runner, and what it reported."""

    def __init__(self, engine: Engine, qtbot: QtBot) -> None:
        self.engine = engine
        self.model = engine.default_model
        self.runner = DetectionRunner(engine)
        self.events: list[Any] = []
        self.runner.happened.connect(self.events.append)
        self._qtbot = qtbot

    def ask(self, **fields: Any) -> None:
        self.runner.ask(Request(self.model, **fields))

    def wait_for(self, kind: type, count: int = 1) -> list[Any]:
        self._qtbot.waitUntil(lambda: len(self.of(kind)) >= count, timeout=30_000)
        return self.of(kind)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def kinds(self) -> list[type]:
        """But for those that only tell how far it is, and what tiles would cost."""
        return [type(event) for event in self.events if not isinstance(event, Stage | Pace)]


@pytest.fixture
def asked(qtbot: QtBot, tiny_detr: Path, tmp_path: Path) -> Iterator[Asked]:
    engine = Engine(Settings(model=str(tiny_detr)), DetectionCache(tmp_path / "cache" / "detections.sqlite"))
    asked = Asked(engine, qtbot)
    yield asked
    assert asked.runner.stop(10)
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    for at in range(4):
        below = folder / str(at // 2)
        below.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40 + at, 30), (at * 40, 80, 90)).save(below / f"{at}.png")
    return folder


def test_a_folder_is_listed_and_its_first_image_opened_and_detected_in(asked: Asked, folder: Path) -> None:
    asked.ask(given=(folder,))
    asked.wait_for(Done)
    first = asked.wait_for(Listed)[0]
    assert [source.name for source in first.sources] == ["0.png", "1.png"]
    assert not first.is_all
    more = asked.wait_for(ListedMore)[-1]
    assert more.is_all
    assert [source.name for each in asked.of(ListedMore) for source in each.sources] == ["2.png", "3.png"]
    assert asked.kinds()[0] is Listed
    others = [kind for kind in asked.kinds() if kind not in (Listed, ListedMore)]
    assert others == [Pointed, Opened, Detections, Done]
    assert asked.of(Opened)[0].image.source is first.sources[0]
    assert asked.of(Opened)[0].image.content_hash


def test_an_image_in_tiles_tells_how_far_it_is_and_what_it_costs(asked: Asked, tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((1600, 900)).convert("RGB").save(tmp_path / "large.png")
    asked.ask(source=parse_source(tmp_path / "large.png"), tiling=Tiling(320))
    asked.wait_for(Done)
    assert [(each.at, each.of) for each in asked.of(AtTile)] == [(at, 24) for at in range(1, 25)]
    assert asked.of(Detections)[0].tiling == Tiling(320)
    assert (asked.of(Pace)[0].width, asked.of(Pace)[0].tiles(Tiling(320))) == (1600, 24)
    assert asked.of(Pace)[-1].seconds(Tiling(320)) > 0
    assert asked.events.index(asked.of(Pace)[0]) < asked.events.index(asked.of(AtTile)[0])


def test_tiles_are_given_up_when_something_else_is_asked(asked: Asked, image_file: Path, tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((3000, 3000)).convert("RGB").save(tmp_path / "large.png")
    asked.ask(source=parse_source(tmp_path / "large.png"), tiling=Tiling(128))
    asked.wait_for(AtTile)
    asked.ask(source=parse_source(image_file), tiling=Tiling(128))
    asked.wait_for(Done)
    assert [each.width for each in asked.of(Detections)] == [320]
    assert asked.of(AtTile)[-1].at < asked.of(AtTile)[-1].of
    assert asked.engine.known.recall(asked.engine.open(tmp_path / "large.png"), asked.model, Tiling(128)) is None


def test_several_files_come_as_one_list(asked: Asked, folder: Path) -> None:
    asked.ask(given=(folder / "1" / "3.png", folder / "0" / "0.png"))
    asked.wait_for(Done)
    assert [(source.name, listed.is_all) for listed in asked.of(Listed) for source in listed.sources] == [
        ("3.png", True),
        ("0.png", True),
    ]
    assert asked.of(ListedMore) == []


def test_a_single_image_is_listed_once_it_could_be_opened(asked: Asked, image_file: Path, tmp_path: Path) -> None:
    asked.ask(given=(image_file,))
    asked.wait_for(Done)
    assert asked.kinds() == [Listed, Opened, Detections, Done]
    assert asked.of(Listed)[0].is_all
    asked.events.clear()
    (tmp_path / "broken.jpg").write_text("<html>")
    asked.ask(given=(tmp_path / "broken.jpg",))
    assert asked.wait_for(Failed)[0].error.code == "not_an_image"
    assert asked.kinds() == [Failed]


def test_nothing_to_list_is_told(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    asked.ask(given=(tmp_path / "empty",))
    assert asked.wait_for(Failed)[0].error.code == "no_images"
    asked.ask(given=("data:nonsense",))
    assert asked.wait_for(Failed, 2)[1].error.code == "bad_data_uri"


class SlowWalk:
    """Lists one folder after the other, each only when it is let go on."""

    def __init__(self, folder: Path) -> None:
        self.batches = [[parse_source(folder / str(at // 2) / f"{at}.png") for at in pair] for pair in ((0, 1), (2, 3))]
        self.go = [threading.Event(), threading.Event()]
        self.has_begun, self.was_cancelled = threading.Event(), threading.Event()

    def __call__(self, given: object, cancelled: Cancelled, notes: object) -> Iterator[list[Source]]:
        self.has_begun.set()
        for go, batch in zip(self.go, self.batches, strict=True):
            while not go.wait(0.01):
                if cancelled():
                    self.was_cancelled.set()
                    return
            yield batch


@pytest.fixture
def slow_walk(folder: Path) -> Iterator[SlowWalk]:
    walk = SlowWalk(folder)
    with patch("desktop.images.lister.walk_sources", walk):
        yield walk


def test_listing_goes_on_while_images_are_asked_for(asked: Asked, slow_walk: SlowWalk) -> None:
    slow_walk.go[0].set()
    asked.ask(given=("anything",))
    listed = asked.wait_for(Listed)[0]
    asked.ask(source=listed.sources[1])
    asked.wait_for(Done)
    assert asked.of(Opened)[-1].image.source is listed.sources[1]
    assert not asked.of(ListedMore)
    slow_walk.go[1].set()
    asked.wait_for(ListedMore)
    assert [source.name for more in asked.of(ListedMore) for source in more.sources] == ["2.png", "3.png"]


def test_an_image_asked_for_before_the_list_is_there_is_answered_at_once(
    asked: Asked, slow_walk: SlowWalk, image_file: Path
) -> None:
    asked.ask(given=("anything",))
    asked.ask(source=parse_source(image_file))
    asked.wait_for(Done)
    slow_walk.go[0].set()
    slow_walk.go[1].set()
    asked.wait_for(ListedMore)
    assert len(asked.of(Listed)) == 1
    assert [event.image.source.name for event in asked.of(Opened)] == [image_file.name]


def test_opening_something_else_stops_the_listing(asked: Asked, slow_walk: SlowWalk, folder: Path) -> None:
    slow_walk.go[0].set()
    asked.ask(given=("anything",))
    asked.wait_for(Listed)
    other = SlowWalk(folder)
    with patch("desktop.images.lister.walk_sources", other):
        other.go[0].set()
        asked.ask(given=("else",))
        assert other.has_begun.wait(10)
    assert slow_walk.was_cancelled.wait(10)
    assert len(asked.wait_for(Listed, 2)) == 2
    other.go[1].set()


def test_cancel_stops_a_list_that_has_not_begun_and_leaves_one_that_has(
    asked: Asked, slow_walk: SlowWalk, folder: Path
) -> None:
    asked.ask(given=("anything",))
    assert slow_walk.has_begun.wait(10)
    asked.runner.cancel()
    assert slow_walk.was_cancelled.wait(10)
    begun = SlowWalk(folder)
    with patch("desktop.images.lister.walk_sources", begun):
        begun.go[0].set()
        asked.ask(given=("else",))
        assert begun.has_begun.wait(10)
    asked.wait_for(Listed)
    asked.runner.cancel()
    begun.go[1].set()
    assert asked.wait_for(ListedMore)[-1].is_all


def test_the_image_to_start_with_is_opened_in_place_of_the_first(asked: Asked, folder: Path) -> None:
    asked.ask(given=(folder,), start=str(folder / "1" / "3.png"))
    asked.wait_for(Done)
    assert [event.image.source.name for event in asked.of(Opened)] == ["3.png"]
    listed = [source for event in asked.of(Listed) + asked.of(ListedMore) for source in event.sources]
    assert asked.of(Opened)[0].image.source is listed[3]


def test_an_image_to_start_with_that_is_gone_gives_the_first(asked: Asked, folder: Path) -> None:
    asked.ask(given=(folder,), start=str(folder / "gone.png"))
    asked.wait_for(Done)
    assert [event.image.source.name for event in asked.of(Opened)] == ["0.png"]


def test_an_error_behind_the_first_images_is_told_and_the_list_stays(asked: Asked, folder: Path) -> None:
    asked.ask(given=(folder, "data:nonsense"))
    assert asked.wait_for(Failed)[0].error.code == "bad_data_uri"
    assert asked.of(Listed)
    assert asked.of(ListedMore)[-1].is_all


def test_what_is_known_comes_without_the_model(asked: Asked, image_file: Path) -> None:
    asked.engine.detect_known(asked.engine.open(image_file))
    source = parse_source(image_file)
    with patch.object(Engine, "load", side_effect=AssertionError("loaded")):
        asked.ask(source=source)
        asked.wait_for(Done)
    assert asked.kinds() == [Opened, Recalled, Done]
    assert len(asked.of(Recalled)[0].detections) == 12
    image = asked.of(Opened)[0].image
    asked.ask(image=image, fresh=True)
    asked.wait_for(Done, 2)
    assert asked.kinds()[3:] == [Detections, Done]


@pytest.fixture
def release() -> Iterator[Callable[[], None]]:
    """Lets a model go on that runs until then."""
    go = threading.Event()
    detect = Detector.detect

    def slow(self: Detector, prepared: Prepared) -> Detections:
        assert go.wait(20)
        return detect(self, prepared)

    with patch.object(Detector, "detect", slow):
        yield go.set
        go.set()


def test_stop_tells_whether_the_model_ended_in_time(
    asked: Asked, image_file: Path, release: Callable[[], None], qtbot: QtBot
) -> None:
    asked.ask(source=parse_source(image_file))
    qtbot.waitUntil(lambda: Stage.DETECTING in asked.events, timeout=30_000)
    assert not asked.runner.stop(0.2)
    release()
    assert asked.runner.stop(10)


def test_who_waits_for_a_conversion_may_ask_for_something_else_meanwhile(
    asked: Asked, tiny_detr: Path, image_file: Path
) -> None:
    asked.engine.apply(Settings(model=str(tiny_detr), runtime="openvino", device="cpu"))
    begun, over = threading.Event(), threading.Event()

    def lasts(*_: object) -> dict[str, Any]:
        begun.set()
        over.wait(60)
        return {"failed": "it was ended"}

    with converting_by(lasts):
        asked.ask(source=parse_source(image_file))
        assert begun.wait(30)
        asked.ask(source=parse_source(image_file), detect=False)
        asked.wait_for(Done)
        assert not over.is_set()
        over.set()
    assert asked.engine.loaded(asked.model) is None


def test_what_to_know_of_a_list_is_told(asked: Asked, folder: Path) -> None:
    listing = folder / "list.txt"
    listing.write_text("a line that names nothing\n0/0.png\n0/1.png 3\n")
    asked.ask(given=(str(listing),))
    asked.wait_for(Done)
    [noted] = asked.of(Noted)
    assert [note.message for note in noted.notes] == ["Lines of list.txt that name no image: 1."]
