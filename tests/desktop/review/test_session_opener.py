"""SessionOpener: sessions are opened once, however often the user opens, and closed when they are not needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from pytestqt.qtbot import QtBot

from desktop.review.session_opener import SINGLE_IMAGES
from desktop.review.session_worker import SessionWorker
from engine.engine import Engine
from engine.errors import EngineError
from engine.paths import data_dir
from engine.review.session import Session
from tests.desktop.conftest import Driver

OpenWindow = Callable[..., Driver]


def test_opening_at_once_gets_the_session_that_is_being_opened(open_window: OpenWindow, image_file: Path) -> None:
    driver = open_window()
    driver.window.viewer.browsing.open([image_file])
    driver.wait_detected(image_file.name)
    assert not driver.state.session.is_read_only


def test_a_session_that_was_opened_in_vain_is_free_for_others(driver: Driver, tmp_path: Path) -> None:
    empty = tmp_path / "空"
    empty.mkdir()
    driver.window.viewer.browsing.open([empty])
    driver.wait_told("no images")
    (kept,) = [path for path in (data_dir() / "sessions").glob("*.detrdesk") if path.name != SINGLE_IMAGES]

    def free() -> bool:
        session = Session.open(kept)
        session.close()
        return not session.is_read_only

    driver.wait_until(free)


def test_the_session_before_is_free_once_another_is_open(driver: Driver, image_file: Path) -> None:
    driver.window.viewer.browsing.open([image_file.parent])
    driver.wait_until(lambda: driver.state.session.name == image_file.parent.name)

    def free() -> bool:
        session = Session.open(data_dir() / "sessions" / SINGLE_IMAGES)
        session.close()
        return not session.is_read_only

    driver.wait_until(free)


def test_what_a_model_found_that_was_removed_meanwhile_is_no_failure(
    qtbot: QtBot, tiny_detr: Path, image_file: Path, tmp_path: Path
) -> None:
    failed: list[EngineError] = []
    with closing(Engine()) as engine, closing(Session.open(tmp_path / "review.detr")) as session:
        name = engine.catalog.add(tiny_detr)
        image = engine.open(image_file)
        found = engine.detect_in(image, name)
        worker = SessionWorker(engine.known.key, engine.known.key_of)
        worker.failed.connect(failed.append)
        worker.save_detections(session, "kept", found)
        worker.wait()
        engine.catalog.remove(name)
        worker.save_detections(session, "late", found)
        worker.wait()
        qtbot.wait(50)
        key = engine.known.key(str(tiny_detr))
        assert session.detections("kept", key) is not None
        assert session.detections("late", key) is None
    assert failed == []
