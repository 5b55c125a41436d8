"""Images of clients in the window's list: kept with their detections, limited in number."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QListView
from pytestqt.qtbot import QtBot

from desktop.server.inbox import Inbox
from desktop.state import client_images
from desktop.state.client_images import MOST_IMAGES, ClientImage, newest
from desktop.state.viewer import ViewerState, inbox_emptied, inbox_extended, listed, pointed
from engine.detect.detection import Detections, Filter
from engine.engine import Engine
from engine.image.decode import decode_image
from engine.image.opened import OpenedImage
from engine.image.source import Source
from tests.desktop.conftest import Driver


def source(name: str, size: int = 3) -> Source:
    return Source("bytes", name, name, bytes(size))


def names(state: ViewerState) -> list[str]:
    return [each.name for each in state.sources]


def nothing_found() -> Detections:
    empty = np.empty(0, np.float32)
    return Detections.from_arrays(empty, np.empty(0, np.int64), empty.reshape(0, 4), {}, 40, 30)


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return out.getvalue()


def received_images(first: int, count: int) -> list[ClientImage]:
    return [
        ClientImage(Source("bytes", f"API #{at}", f"inbox {at}", png("red")), nothing_found(), "red")
        for at in range(first, first + count)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def list_view(driver: Driver) -> QListView:
    view = driver.find("sourceList")
    assert isinstance(view, QListView)
    return view


def shown_names(driver: Driver) -> list[str]:
    model = list_view(driver).model()
    assert model is not None
    return [model.data(model.index(row, 0)) for row in range(model.rowCount())]


def current_name(driver: Driver) -> str:
    selection = list_view(driver).selectionModel()
    assert selection is not None
    [at] = selection.selectedIndexes()
    return str(at.data())


def test_nothing_is_taken_until_it_is_switched_on(driver: Driver, image_file: Path) -> None:
    driver.switch_on()
    driver.ask(image_file)
    driver.qtbot.wait(250)
    assert driver.state.inbox_size == 0


def test_an_image_appears_and_nothing_else_changes(driver: Driver, image_file: Path) -> None:
    driver.switch_on()
    driver.find("inboxCheck").click()  # type: ignore[attr-defined]
    assert driver.server.state.inbox_open
    driver.window.viewer.choosing.select(frozenset({1}))
    before = driver.state
    driver.ask(image_file, threshold=0.9, top_k=1)
    driver.wait_until(lambda: driver.state.inbox_size == 1)
    after = driver.state
    assert names(after)[1].startswith("API ")
    assert names(after)[1].endswith(" #1")
    assert (after.image, after.detections, after.at) == (before.image, before.detections, before.at)
    assert (after.selected, after.stage, after.message) == (before.selected, before.stage, before.message)
    assert after.session_tokens == before.session_tokens
    assert current_name(driver) == image_file.name
    assert shown_names(driver) == names(after)


def test_opening_it_shows_the_answer_without_running_a_model(driver: Driver, image_file: Path) -> None:
    expected = driver.state.detections
    assert expected is not None
    driver.switch_on()
    driver.server.open_inbox(True)
    driver.ask(image_file, threshold=0.9, top_k=1)
    driver.wait_until(lambda: driver.state.inbox_size == 1)
    tokens = driver.state.session_tokens
    with patch.object(Engine, "detect_in", side_effect=AssertionError("ran the model")):
        driver.qtbot.keyClick(driver.window.view, "d")
        driver.wait_detected(names(driver.state)[1])
    found = driver.state.detections
    assert found is not None
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert driver.state.session_tokens == tokens
    assert driver.state.image is not None
    assert driver.state.image.pixels.size == (320, 240)
    before = driver.state.detections
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_F5)
    driver.wait_until(lambda: driver.state.detections is not before and driver.state.stage is None)
    assert driver.state.detections is not None
    np.testing.assert_array_equal(driver.state.detections.boxes, expected.boxes)


def test_what_is_sent_to_an_empty_window_does_not_open(open_window: object, image_file: Path) -> None:
    driver: Driver = open_window()  # type: ignore[operator]
    driver.wait_until(lambda: driver.state.stage is None)
    driver.switch_on()
    driver.server.open_inbox(True)
    driver.ask(image_file)
    driver.wait_until(lambda: driver.state.inbox_size == 1)
    assert driver.find("welcome").isVisible()
    assert driver.state.image is None
    driver.window.viewer.browsing.show_row(0)
    driver.wait_detected(names(driver.state)[0])


def test_a_flood_moves_neither_the_image_nor_the_selection_nor_the_list(driver: Driver, folder: Path) -> None:
    for at in range(40):
        Image.new("RGB", (40, 30), "blue").save(folder / f"{at}.png")
    viewer = driver.window.viewer
    viewer.browsing.open([folder])
    driver.wait_detected("0.png")
    viewer.browsing.show_row(2)
    driver.wait_detected("2.png")
    view = list_view(driver)
    bar = view.verticalScrollBar()
    assert bar is not None
    bar.setValue(20)
    image, place = driver.state.image, bar.value()
    for start in range(0, 300, 50):
        viewer.browsing.add_client_images(received_images(start, 50))
        driver.qtbot.wait(5)
    assert driver.state.inbox_size == MOST_IMAGES
    assert names(driver.state)[-1] == "API #299"
    assert names(driver.state)[40] == "API #100"
    assert (driver.state.image, driver.state.at) == (image, 2)
    assert current_name(driver) == "2.png"
    assert bar.value() == place
    assert shown_names(driver) == names(driver.state)
    assert len(viewer.session.known.held) == MOST_IMAGES


def test_the_one_that_is_shown_stays_when_older_ones_make_room(driver: Driver) -> None:
    viewer = driver.window.viewer
    viewer.browsing.add_client_images(received_images(0, 3))
    viewer.browsing.show_row(2)
    driver.wait_detected("API #1")
    image = driver.state.image
    viewer.browsing.add_client_images(received_images(3, MOST_IMAGES))
    driver.qtbot.wait(20)
    assert driver.state.image is image
    assert driver.state.at is not None
    assert names(driver.state)[driver.state.at] == "API #1" == current_name(driver)
    assert "API #0" not in names(driver.state)
    viewer.browsing.go(1)
    driver.wait_detected(names(driver.state)[driver.state.at])


def test_an_image_that_opens_while_others_arrive_is_the_one_that_was_asked_for(driver: Driver) -> None:
    viewer = driver.window.viewer
    viewer.browsing.add_client_images(received_images(0, MOST_IMAGES))
    viewer.browsing.show_row(100)
    wanted = names(driver.state)[100]
    viewer.browsing.add_client_images(received_images(MOST_IMAGES, 50))
    driver.wait_detected(wanted)
    assert driver.state.at == 50
    assert current_name(driver) == wanted


def test_another_folder_leaves_the_inbox(driver: Driver, folder: Path) -> None:
    driver.window.viewer.browsing.add_client_images(received_images(0, 2))
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30), "blue").save(folder / name)
    driver.window.viewer.browsing.open([folder])
    driver.wait_detected("a.png")
    assert names(driver.state) == ["a.png", "b.png", "API #0", "API #1"] == shown_names(driver)


def test_the_inbox_can_be_emptied(driver: Driver, image_file: Path) -> None:
    viewer = driver.window.viewer
    button = driver.find("emptyInbox")
    assert button.isHidden()
    viewer.browsing.add_client_images(received_images(0, 2))
    viewer.browsing.show_row(1)
    driver.wait_detected("API #0")
    image = driver.state.image
    assert not button.isHidden()
    button.click()  # type: ignore[attr-defined]
    assert names(driver.state) == [image_file.name] == shown_names(driver)
    assert (driver.state.image, driver.state.at) == (image, None)
    assert viewer.session.known.held == {}


def test_nothing_of_it_is_on_the_disk(driver: Driver, tmp_path: Path, own_home: Path) -> None:
    sent = tmp_path / "sent.png"
    sent.write_bytes(png("green"))
    driver.switch_on()
    driver.server.open_inbox(True)
    driver.ask(sent)
    driver.wait_until(lambda: driver.state.inbox_size == 1)
    driver.window.viewer.browsing.show_row(len(driver.state.sources) - 1)
    driver.wait_detected(driver.state.sources[-1].name)
    driver.window.close()
    written = [path for path in own_home.rglob("*") if path.is_file()]
    assert len([path for path in written if path.parent.name == "thumbnails"]) <= 1  # that of the user's own image
    content = hashlib.blake2b(sent.read_bytes(), digest_size=16).hexdigest().encode()
    assert not [path for path in written if sent.read_bytes() in path.read_bytes() or content in path.read_bytes()]


@pytest.mark.parametrize("content", [b"", png("green")])
def test_the_file_is_kept_where_it_is_known_else_the_pixels(qtbot: QtBot, content: bytes) -> None:
    pixels = Image.effect_noise((37, 23), 90).convert("RGB")
    inbox = Inbox(Engine().read)
    inbox.is_open = True
    with qtbot.waitSignal(inbox.arrived) as arrived_images:
        inbox.take(OpenedImage(Source("bytes", "API image", "", content), pixels, 1.0), nothing_found(), Filter())
    [[image]] = arrived_images.args
    expected = Image.open(io.BytesIO(content)) if content else pixels
    assert decode_image(image.source.content).tobytes() == expected.tobytes()


def test_the_newest_stay_within_number_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [source(str(at)) for at in range(MOST_IMAGES + 5)]
    assert newest(many) == tuple(many[5:])
    assert newest(many, many[2]) == (many[2], *many[5:])
    monkeypatch.setattr(client_images, "MOST_BYTES", 10)
    large = [source("a", 4), source("b", 4), source("c", 4), source("d", 4)]
    assert newest(large) == tuple(large[2:])
    assert newest(large, large[0]) == (large[0], large[3])


def test_the_list_is_opened_images_then_received_ones() -> None:
    state = inbox_extended(listed(ViewerState(), [source("a"), source("b")]), [source("1")])
    state = pointed(state, 2)
    assert names(state) == ["a", "b", "1"]
    assert names(listed(state, [source("c")])) == ["c", "1"]
    state = inbox_extended(state, [source("2")])
    assert (names(state), state.at, state.inbox_size) == (["a", "b", "1", "2"], 2, 2)
    assert (names(inbox_emptied(state)), inbox_emptied(state).at) == (["a", "b"], None)
