"""Recently opened places: saved between sessions, without secrets; failures are ignored."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.images.recent import MOST_OPENED, MOST_TYPED, AddressHistory, Recent, RecentEntry
from desktop.style.i18n import install_language
from desktop.window.welcome import Welcome
from engine.image.source import parse_source
from engine.paths import data_dir


def texts(recent: Recent) -> list[str]:
    return [entry.text for entry in recent.entries]


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Twenty files in a folder."""
    folder = tmp_path / "资料"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.jpg").write_bytes(b"image")
    return [folder / f"{number}.jpg" for number in range(20)]


def test_the_newest_come_first_and_none_twice(images: list[Path]) -> None:
    recent = Recent()
    for path in images:
        recent.add([path])
    recent.add([images[10]])
    recent.add([str(images[0].parent)])
    assert texts(Recent())[:3] == [str(images[0].parent), str(images[10]), str(images[19])]
    assert len(recent.entries) == MOST_OPENED
    entry = recent.entries[0]
    assert entry == RecentEntry(str(images[0].parent), "资料", str(images[0].parent.parent), is_folder=True)


def test_many_files_are_remembered_by_their_folder(images: list[Path]) -> None:
    recent = Recent()
    recent.add(images[:2])
    assert texts(recent) == [str(images[0]), str(images[1])]
    recent.add([*images, "https://host.test/a.jpg"])
    assert texts(recent)[:2] == [str(images[0].parent), "https://host.test/a.jpg"]


def test_what_is_gone_says_so(images: list[Path]) -> None:
    recent = Recent()
    recent.add([images[0]])
    images[0].unlink()
    assert [entry.is_there for entry in recent.entries] == [False]


def test_relative_paths_and_file_urls_become_whole(images: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(images[0].parent)
    recent = Recent()
    recent.add(["1.jpg"])
    recent.add([images[2].as_uri(), parse_source(images[3])])
    assert texts(recent) == [str(images[2]), str(images[3]), str(images[1])]


@pytest.mark.parametrize(
    "given",
    [
        b"bytes",
        "data:image/png;base64,AAAA",
        base64.b64encode(bytes(100)).decode(),
        "/no/such/file.jpg",
        "ftp://host.test/a.jpg",
        "https://user:secret@host.test/a.jpg",
        "https://host.test/a.jpg?X-Amz-Signature=abc",
        "https://host.test/a.jpg?api_key=abc",
        "https://host.test/a.jpg?sv=2020&sig=abc",
        "https://host.test/a.jpg#access_token=abc",
        "https://host.test/a.jpg?x=0123456789abcdef0123456789abcdef",
        "https://[broken/a.jpg?",
        "nul\0byte",
        "x" * 5000,
        "",
    ],
)
def test_data_and_secrets_are_not_remembered(given: str | bytes) -> None:
    recent, history = Recent(), AddressHistory()
    recent.add([given])
    assert recent.entries == []
    if isinstance(given, str):
        history.add(given)
        assert history.texts == []
    assert not data_dir().exists()


def test_harmless_addresses_are_remembered(images: list[Path]) -> None:
    recent = Recent()
    recent.add(["https://host.test/shelf%20a.jpg?width=640&page=2#top", parse_source("http://host.test/")])
    assert [(entry.name, entry.place, entry.is_there) for entry in recent.entries] == [
        ("shelf a.jpg", "host.test", True),
        ("host.test", "host.test", True),
    ]


def test_what_was_typed_is_kept_as_typed(images: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(images[0].parent)
    history = AddressHistory()
    for number in range(60):
        history.add(f"https://host.test/{number}.jpg")
    history.add("  1.jpg ")
    history.add("https://host.test/1.jpg\nhttps://host.test/2.jpg")
    assert len(history.texts) == MOST_TYPED
    assert AddressHistory().texts[:2] == ["1.jpg", "https://host.test/59.jpg"]


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'[1, null, [], ""]', b"\xff\xfe", b"[" * 100_000, b'"a"'])
def test_a_damaged_file_is_passed_over(content: bytes, images: list[Path]) -> None:
    data_dir().mkdir(parents=True)
    (data_dir() / "recent.json").write_bytes(content)
    recent = Recent()
    assert recent.entries == []
    recent.add([images[0]])
    assert json.loads((data_dir() / "recent.json").read_bytes()) == [str(images[0])]


def test_a_folder_that_cannot_be_written_is_no_problem(images: list[Path]) -> None:
    data_dir().parent.mkdir(parents=True, exist_ok=True)
    data_dir().write_bytes(b"in the way")
    recent = Recent()
    recent.add([images[0]])
    assert recent.entries == []


def test_two_windows_do_not_forget_each_others(images: list[Path]) -> None:
    one, other = Recent(), Recent()
    one.add([images[0]])
    other.add([images[1]])
    one.add([images[2]])
    assert texts(other) == [str(images[2]), str(images[1]), str(images[0])]


def test_the_welcome_page_opens_again(qtbot: QtBot) -> None:
    install_language("en")
    page = Welcome()
    qtbot.addWidget(page)
    opened: list[str] = []
    page.open_again.connect(opened.append)
    page.show()
    listing = page.findChild(QWidget, "recentList")
    assert listing is not None
    assert not listing.isVisible()
    gone = RecentEntry("/gone", "gone", "/", is_there=False)
    many = [RecentEntry(f"/资料/{at}", f"{at}", "/资料", is_folder=True) for at in range(12)]
    for entries in ([gone], many[:3], [gone, *many]):
        page.show_recent(entries)
    qtbot.wait(1)
    buttons = [button for button in page.findChildren(QPushButton, "recentButton") if not button.isHidden()]
    assert [button.toolTip() for button in buttons] == [f"/资料/{at}" for at in range(6)]
    buttons[2].click()
    assert opened == ["/资料/2"]
    page.show_recent([gone])
    assert not listing.isVisible()
