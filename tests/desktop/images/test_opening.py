"""Opening images by drop, paste and the address field."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PyQt5.QtWidgets import QLineEdit

from desktop.images.mime import can_open, given_in, lines_of
from tests.desktop.conftest import Driver

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def served(image_file: Path) -> Iterator[str]:
    """A web server with the image at `/快递 1.jpg`; its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(image_file.parent))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def bitmap() -> QImage:
    image = QImage(64, 48, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0))
    image.setPixelColor(60, 40, QColor(0, 0, 0))  # a bitmap without any opacity counts as opaque
    return image


def drop(driver: Driver, mime: QMimeData) -> None:
    view = driver.window
    where = QPoint(200, 200)
    action, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where, action, mime, button, none)
    view.dragEnterEvent(enter)
    assert enter.isAccepted()
    view.dropEvent(QDropEvent(where, action, mime, button, none))


def paste(driver: Driver, mime: QMimeData) -> None:
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    clipboard.setMimeData(mime)
    driver.qtbot.keyClick(driver.window, "v", CONTROL)


def of_files(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def of_text(text: str) -> QMimeData:
    mime = QMimeData()
    mime.setText(text)
    return mime


def of_image() -> QMimeData:
    mime = QMimeData()
    mime.setImageData(bitmap())
    mime.setUrls([QUrl("https://example.invalid/photo.jpg")])
    return mime


@pytest.mark.parametrize("way", [drop, paste])
def test_files_and_folders(open_window: Callable[..., Driver], image_file: Path, way: Callable[..., None]) -> None:
    driver = open_window()
    way(driver, of_files(image_file.parent, image_file))
    driver.wait_detected("快递 1.jpg")
    assert len(driver.state.sources) == 2


@pytest.mark.parametrize("way", [drop, paste])
def test_a_bitmap_of_a_browser_comes_before_its_address(
    open_window: Callable[..., Driver], way: Callable[..., None]
) -> None:
    driver = open_window()
    way(driver, of_image())
    driver.wait_detected("pasted image")
    image = driver.state.image
    assert image is not None
    assert image.pixels.size == (64, 48)
    assert image.pixels.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("way", [drop, paste])
def test_data_uri_and_base64(open_window: Callable[..., Driver], image_file: Path, way: Callable[..., None]) -> None:
    driver = open_window()
    text = base64.encodebytes(image_file.read_bytes()).decode()
    way(driver, of_text(text))
    driver.wait_detected("base64 image")
    way(driver, of_text("DATA:image/jpeg;base64," + text))
    driver.wait_detected("data URI")


def test_a_url_in_the_address_line(open_window: Callable[..., Driver], served: str) -> None:
    driver = open_window()
    edit = driver.find("sourceEdit")
    assert isinstance(edit, QLineEdit)
    edit.setText(f"{served}/快递 1.jpg")
    edit.setFocus()
    driver.qtbot.keyClick(edit, Qt.Key.Key_Return)
    driver.wait_detected("快递 1.jpg")
    edit.setText(f"{served}/gone.jpg")
    edit.setFocus()
    driver.qtbot.keyClick(edit, Qt.Key.Key_Return)
    driver.wait_told("404")


def test_an_address_that_leads_nowhere_is_told(driver: Driver) -> None:
    edit = driver.find("sourceEdit")
    assert isinstance(edit, QLineEdit)
    before = driver.state.image
    for text in ("ftp://example.invalid/a.jpg", "data:nothing", "   /no/such/file.png  "):
        driver.window.viewer.dismiss_message()
        edit.setText(text)
        edit.setFocus()
        driver.qtbot.keyClick(edit, Qt.Key.Key_Return)
        driver.wait_told(".")
        assert driver.state.image is before


def test_pasting_into_the_address_line(driver: Driver, tmp_path: Path) -> None:
    """Text stays text, an image or files open."""
    edit = driver.find("sourceEdit")
    assert isinstance(edit, QLineEdit)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    edit.setFocus()
    clipboard.setText("words")
    driver.qtbot.keyClick(edit, "v", CONTROL)
    assert edit.text() == "words"
    Image.new("RGB", (20, 20)).save(tmp_path / "二.png")
    clipboard.setMimeData(of_files(tmp_path / "二.png"))
    driver.qtbot.keyClick(edit, "v", CONTROL)
    driver.wait_detected("二.png")
    assert edit.text() == "words"


def test_an_empty_clipboard_says_so(driver: Driver) -> None:
    paste(driver, QMimeData())
    driver.wait_told("nothing that can be opened")


def of_web(html: str = "", text: str = "", link: str = "") -> QMimeData:
    """What a browser offers: a piece of a page, text, a link as Firefox has it."""
    mime = QMimeData()
    if html:
        mime.setHtml(html)
    if text:
        mime.setText(text)
    if link:
        mime.setData("text/x-moz-url", f"{link}\nIts title".encode("utf-16-le"))
    return mime


def test_an_image_that_is_a_link_is_opened_and_not_its_page() -> None:
    page, image = "https://host.test/article", "https://cdn.test/a%2Fb 图.jpg"
    mime = of_web(f'<a href="{page}"><IMG alt="x" src="{image}"></a>', page, page)
    mime.setUrls([QUrl(page)])
    assert can_open(mime)
    assert given_in(mime) == [image]


def test_images_in_a_piece_of_a_page() -> None:
    """Chrome and Firefox; an image without an address of its own is no image."""
    data = "data:image/png;base64,AAAA"
    assert given_in(of_web(f'<img src="//host.test/a.jpg"><img src=""><img><img src="{data}">')) == [
        "https://host.test/a.jpg",
        data,
    ]
    assert given_in(of_web('<img src="blob:https://host.test/1">', "https://host.test/b.jpg")) == [
        "https://host.test/b.jpg"
    ]
    assert given_in(of_web('words <img src="https://host.test/smiley.png">', "words")) == ["words"]
    assert not can_open(of_web("<b></b>"))


def test_a_link_of_firefox() -> None:
    mime = of_web(link="https://host.test/a.jpg")
    assert can_open(mime)
    assert given_in(mime) == ["https://host.test/a.jpg"]


def test_addresses_stay_as_they_are_signed(tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromEncoded(b"https://host.test/a%20b%2Fc.jpg?sig=%2B%25"), QUrl("http://host.test/2.jpg")])
    assert given_in(mime) == ["https://host.test/a%20b%2Fc.jpg?sig=%2B%25", "http://host.test/2.jpg"]


def test_files_folders_and_addresses_together(tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("http://host.test/2.jpg")])
    assert given_in(mime) == [tmp_path, "http://host.test/2.jpg"]


@pytest.mark.parametrize("way", [drop, paste])
def test_a_list_of_images(open_window: Callable[..., Driver], image_file: Path, way: Callable[..., None]) -> None:
    driver = open_window()
    listing = image_file.parent / "清单.txt"
    listing.write_text(f"# {image_file}\n{image_file.name}\ngone.jpg\n", encoding="gbk")
    way(driver, of_files(listing))
    driver.wait_detected(image_file.name)
    assert [source.name for source in driver.state.sources] == [image_file.name, "gone.jpg"]
    listing.write_text("Only words.")
    way(driver, of_files(listing))
    driver.wait_told("清单.txt names no images")


def test_a_list_in_the_address_line(open_window: Callable[..., Driver], image_file: Path) -> None:
    driver = open_window()
    (image_file.parent / "all.lst").write_text(image_file.name)
    edit = driver.find("sourceEdit")
    assert isinstance(edit, QLineEdit)
    edit.setText(str(image_file.parent / "all.lst"))
    edit.setFocus()
    driver.qtbot.keyClick(edit, Qt.Key.Key_Return)
    driver.wait_detected(image_file.name)


def test_several_lines_are_several_things_only_where_each_is_one(tmp_path: Path) -> None:
    assert lines_of("https://a.example/1.jpg\n\n http://b.example/2.jpg \n") == [
        "https://a.example/1.jpg",
        "http://b.example/2.jpg",
    ]
    assert lines_of("AAAA\nBBBB") == ["AAAA\nBBBB"]
    assert lines_of("  \n ") == []
    assert lines_of("~nobody-of-that-name\n~nobody-else") == ["~nobody-of-that-name\n~nobody-else"]
    assert given_in(of_text(f"{tmp_path}\n{tmp_path}")) == [str(tmp_path), str(tmp_path)]
