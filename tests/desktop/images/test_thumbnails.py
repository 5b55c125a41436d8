"""Thumbnails made in the background: order, no duplicates, stopping."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PyQt5.QtCore import QThread
from PyQt5.QtGui import QImage
from pytestqt.qtbot import QtBot

from desktop.images import thumbnails as module
from desktop.images.thumbnails import SIDE, Thumbnails
from desktop.style.i18n import install_language
from desktop.work.task_runner import running_threads
from engine.image.source import Source, parse_source
from engine.paths import cache_dir


class Results:
    """What was made and what failed, in the order that it came."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        self.made: list[tuple[Source, QImage]] = []
        self.failed: list[tuple[Source, str]] = []
        thumbnails.made.connect(lambda source, image: self.made.append((source, image)))
        thumbnails.failed.connect(lambda source, reason: self.failed.append((source, reason)))

    @property
    def names(self) -> list[str]:
        return [source.name for source, _ in self.made]


@pytest.fixture
def thumbnails(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Thumbnails]:
    install_language("en")
    with monkeypatch.context() as few_cores:
        few_cores.setattr("os.cpu_count", lambda: 1)
        made = Thumbnails()
    yield made
    assert made.stop(10)


@pytest.fixture
def results(thumbnails: Thumbnails) -> Results:
    return Results(thumbnails)


@pytest.fixture
def files(tmp_path: Path) -> list[Source]:
    """Ten images, each of a colour of its own."""
    for number in range(10):
        Image.new("RGB", (640, 320), (25 * number, 0, 0)).save(tmp_path / f"图 {number}.png")
    return [parse_source(tmp_path / f"图 {number}.png") for number in range(10)]


def stored() -> list[Path]:
    return sorted(path for path in (cache_dir() / "thumbnails").rglob("*") if path.is_file())


def gate(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[str]]:
    """Reading waits until the gate is opened; the names that were read."""
    opened, names = threading.Event(), []
    read = module.read_source

    def read_slowly(source: Source, **options: object) -> bytes:
        names.append(source.name)
        assert opened.wait(20)
        return read(source, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "read_source", read_slowly)
    return opened, names


def test_they_are_made_in_the_order_that_they_are_wanted(
    thumbnails: Thumbnails, results: Results, files: list[Source], qtbot: QtBot
) -> None:
    thumbnails.want(files)
    qtbot.waitUntil(lambda: len(results.made) == 10)
    assert results.names == [source.name for source in files]
    image = results.made[9][1]
    assert (image.width(), image.height()) == (SIDE, SIDE // 2)
    assert abs(image.pixelColor(5, 5).red() - 225) < 4
    assert len(stored()) == 10


def test_what_scrolled_away_is_not_made(
    thumbnails: Thumbnails, results: Results, files: list[Source], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, names = gate(monkeypatch)
    thumbnails.want(files[:5])
    qtbot.waitUntil(lambda: bool(names))
    thumbnails.want(files[:1] + files[8:])
    opened.set()
    qtbot.waitUntil(lambda: len(results.made) == 3)
    assert names == [files[0].name, files[8].name, files[9].name]


def test_what_is_on_disk_is_not_made_again(
    thumbnails: Thumbnails, results: Results, files: list[Source], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    thumbnails.want(files[:2])
    qtbot.waitUntil(lambda: len(results.made) == 2)
    stored()[0].write_bytes(b"damaged")
    opened, names = gate(monkeypatch)
    opened.set()
    thumbnails.want(files[:2])
    qtbot.waitUntil(lambda: len(results.made) == 4)
    assert len(names) == 1
    assert all(path.stat().st_size > 100 for path in stored())


def test_a_changed_file_is_made_again(
    thumbnails: Thumbnails, results: Results, files: list[Source], qtbot: QtBot
) -> None:
    thumbnails.want(files[:1])
    qtbot.waitUntil(lambda: len(results.made) == 1)
    Image.new("RGB", (100, 100), "white").save(files[0].location)
    os.utime(files[0].location, ns=(0, time.time_ns() + 10**9))
    thumbnails.want(files[:1])
    qtbot.waitUntil(lambda: len(results.made) == 2)
    assert results.made[1][1].pixelColor(5, 5).name() == "#ffffff"


def test_failures_are_told_and_stop_nothing(
    thumbnails: Thumbnails, results: Results, files: list[Source], tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "empty.jpg").touch()
    bad = [parse_source(tmp_path / "gone.jpg"), parse_source(tmp_path / "empty.jpg"), parse_source("nul\0byte.jpg")]
    thumbnails.want([*bad, files[0]])
    qtbot.waitUntil(lambda: len(results.made) == 1)
    assert [source for source, _ in results.failed] == bad
    assert results.failed[1][1] == "The file is empty; choose another image."


def test_pasted_images_are_not_written_to_disk(
    thumbnails: Thumbnails, results: Results, files: list[Source], qtbot: QtBot
) -> None:
    pasted = parse_source(Path(files[3].location).read_bytes())
    thumbnails.want([pasted])
    thumbnails.offer(pasted, Image.new("RGB", (300, 300)))
    qtbot.waitUntil(lambda: len(results.made) == 2)
    assert stored() == []


def test_urls_are_not_fetched_but_taken_when_opened(
    thumbnails: Thumbnails, results: Results, files: list[Source], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, names = gate(monkeypatch)
    opened.set()
    url = parse_source("https://host.test/shelf.jpg")
    thumbnails.want([url, files[0]])
    qtbot.waitUntil(lambda: len(results.made) == 1)
    assert names == [files[0].name]
    thumbnails.offer(url, Image.new("RGB", (300, 200), "#00ff00"))
    qtbot.waitUntil(lambda: len(results.made) == 2)
    assert results.made[1][0] is url
    assert results.made[1][1].height() == 85
    thumbnails.want([url])
    qtbot.waitUntil(lambda: len(results.made) == 3)
    assert names == [files[0].name]
    assert results.failed == []


def test_an_image_that_is_opened_again_is_not_scaled_down_again(
    thumbnails: Thumbnails, results: Results, files: list[Source], qtbot: QtBot
) -> None:
    for count, colour in enumerate(("#00ff00", "#0000ff"), 1):
        thumbnails.offer(files[0], Image.new("RGB", (300, 200), colour))
        qtbot.waitUntil(lambda: len(results.made) == count)  # noqa: B023
    assert [image.pixelColor(5, 5).green() > 250 for _, image in results.made] == [True, True]


def test_stopping_ends_the_threads_and_silences_them(
    results: Results, thumbnails: Thumbnails, files: list[Source], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, names = gate(monkeypatch)
    thumbnails.want(files)
    qtbot.waitUntil(lambda: bool(names))
    assert not thumbnails.stop(0.05)
    opened.set()
    assert thumbnails.stop(10)
    thumbnails.want(files)
    thumbnails.offer(files[0], Image.new("RGB", (3, 3)))
    qtbot.wait(50)
    assert results.made == []
    assert names == [files[0].name]
    assert "thumbnails" not in running_threads()


def test_the_window_is_not_held_up(
    thumbnails: Thumbnails, results: Results, files: list[Source], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[QThread | None] = []
    make = module.make_thumbnail

    def seen(data: bytes, side: int) -> Image.Image:
        threads.append(QThread.currentThread())
        return make(data, side)

    monkeypatch.setattr(module, "make_thumbnail", seen)
    thumbnails.want(files[:1])
    qtbot.waitUntil(lambda: len(results.made) == 1)
    assert threads[0] is not thumbnails.thread()
