"""The server's panel: switch, address and QR code, snippets, table of requests."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
import zxingcpp
from PIL import Image
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication, QImage
from PyQt5.QtWidgets import QCheckBox, QLabel, QLineEdit, QPlainTextEdit, QTableView, QTabWidget, QWidget

from desktop.server.qr_code import QrCode
from desktop.server.request_table import RequestTable
from desktop.server.runner import ServerRunner
from desktop.server.snippets import MASK, ExampleRequest, curl_snippet, phone_address, python_snippet
from desktop.state.server import EVERYONE, AnsweredRequest, Phase
from desktop.style.theme import THEMES, apply_theme
from engine.errors import EngineError
from tests.desktop.conftest import Driver
from tests.desktop.fonts import why_cut

OpenWindow = Callable[..., Driver]
NAMES = ["serverToggle", "serverHost", "serverPortSpin", "serverKey", "inboxCheck", "snippetView", "requestTable"]
NO_PROXY = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}


def show_panel(driver: Driver) -> None:
    tabs = driver.window.findChild(QTabWidget)
    assert tabs is not None
    assert tabs.tabText(2) in ("Server", "服务器")
    tabs.setCurrentIndex(2)
    driver.qtbot.wait(20)


def text_of(driver: Driver, name: str) -> str:
    found = driver.find(name)
    assert isinstance(found, QLabel | QLineEdit)
    return found.text()


def copied(driver: Driver, button: str) -> str:
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    driver.qtbot.mouseClick(driver.find(button), Qt.MouseButton.LeftButton)
    return clipboard.text()


def decoded(widget: QWidget) -> str:
    drawn = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = drawn.constBits()
    assert bits is not None
    content = bits.asstring(drawn.bytesPerLine() * drawn.height())
    image = Image.frombytes("RGB", (drawn.width(), drawn.height()), content, "raw", "RGB", drawn.bytesPerLine())
    [code] = zxingcpp.read_barcodes(image)
    return str(code.text)


@pytest.mark.parametrize("name", NAMES)
def test_scripts_and_screen_readers_find_every_part(open_window: OpenWindow, name: str) -> None:
    assert open_window().find(name).accessibleName()


def test_mouse_and_keyboard_switch_it(driver: Driver) -> None:
    show_panel(driver)
    driver.server.set_port(0)
    toggle = driver.find("serverToggle")
    driver.qtbot.mouseClick(toggle, Qt.MouseButton.LeftButton)
    driver.wait_phase(Phase.ON)
    assert text_of(driver, "serverLabel") == f"server on, port {driver.server.state.real_port}"
    driver.qtbot.keyClick(toggle, Qt.Key.Key_Space)
    driver.wait_phase(Phase.OFF)
    assert text_of(driver, "serverLabel") == "server off"
    driver.qtbot.keyClick(toggle, Qt.Key.Key_Return)
    driver.wait_phase(Phase.ON)


def test_a_script_can_check_it(driver: Driver) -> None:
    driver.server.set_port(0)
    toggle = driver.find("serverToggle")
    assert isinstance(toggle, QCheckBox)
    toggle.setChecked(True)
    driver.wait_phase(Phase.ON)
    toggle.setChecked(False)
    driver.wait_phase(Phase.OFF)


def test_the_reason_is_shown_until_it_starts(driver: Driver) -> None:
    show_panel(driver)
    assert not driver.find("serverProblem").isVisible()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        driver.server.set_port(taken.getsockname()[1])
        driver.server.switch(True)
        driver.wait_until(driver.find("serverProblem").isVisible)
        assert "in use" in text_of(driver, "serverProblem")
    driver.switch_on()
    assert not driver.find("serverProblem").isVisible()


def test_the_address_is_a_link(driver: Driver) -> None:
    show_panel(driver)
    address = driver.switch_on()
    assert f'href="{address}/"' in text_of(driver, "serverAddress")
    assert copied(driver, "copyAddress") == address
    assert not driver.find("serverQrCode").isVisible()


def test_the_code_leads_a_phone_to_the_page_with_the_key(driver: Driver) -> None:
    show_panel(driver)
    address = driver.switch_on(EVERYONE)
    key = driver.server.state.key
    assert key is not None
    assert driver.find("serverQrCode").isVisible()
    assert decoded(driver.find("serverQrCode")) == f"{address}/#key={key.text}"


def test_a_code_can_be_read_whatever_it_says(driver: Driver) -> None:
    for text in ("http://10.0.0.1:1/", phone_address("http://[fe80::1]:65535", "钥匙 &#?" * 8)):
        code = QrCode()
        code.show_text(text)
        assert decoded(code) == text
        code.deleteLater()


def test_the_key_is_hidden_once_it_is_copied(driver: Driver) -> None:
    show_panel(driver)
    driver.server.set_host(EVERYONE)
    driver.wait_until(lambda: driver.server.state.key is not None)
    key = driver.server.state.key
    assert key is not None
    assert text_of(driver, "serverKey") == key.text
    assert copied(driver, "copyKey") == key.text
    assert set(text_of(driver, "serverKey")) == {"•"}
    assert copied(driver, "copyKey") == key.text


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("host", ["127.0.0.1", EVERYONE])
def test_the_curl_line_runs(driver: Driver, host: str) -> None:
    show_panel(driver)
    driver.switch_on(host)
    driver.window.viewer.choosing.set_threshold(0.3)
    driver.window.viewer.choosing.set_top_k(3)
    line = copied(driver, "copySnippet")
    command = ["sh", "-c", f"{line} --silent --show-error"]
    done = driver.meanwhile(lambda: subprocess.run(command, capture_output=True, text=True, env=NO_PROXY, timeout=30))
    answer = json.loads(done.stdout)
    assert (answer["model"], answer["threshold"], answer["top_k"]) == ("tiny-detr", 0.3, 3)
    assert len(answer["predictions"][0]["result"]) == 3


@pytest.mark.parametrize("host", ["127.0.0.1", EVERYONE])
def test_the_python_snippet_runs(driver: Driver, host: str) -> None:
    show_panel(driver)
    driver.switch_on(host)
    driver.qtbot.mouseClick(driver.find("pythonSnippet"), Qt.MouseButton.LeftButton)
    program = copied(driver, "copySnippet")
    command = [sys.executable, "-c", program]
    done = driver.meanwhile(lambda: subprocess.run(command, capture_output=True, text=True, env=NO_PROXY, timeout=30))
    assert done.returncode == 0, done.stderr
    assert driver.state.shown is not None
    assert len(done.stdout.splitlines()) == len(driver.state.shown)


def test_the_snippet_follows_the_window_and_hides_the_key(driver: Driver) -> None:
    show_panel(driver)
    driver.switch_on(EVERYONE)
    view = driver.find("snippetView")
    assert isinstance(view, QPlainTextEdit)
    assert driver.server.state.key is not None
    assert driver.server.state.key.text not in view.toPlainText()
    assert MASK in view.toPlainText()
    assert "top_k" not in view.toPlainText()
    driver.window.viewer.choosing.set_top_k(7)
    assert "top_k=7" in view.toPlainText()


@pytest.mark.skipif(shutil.which("curl") is None or os.name == "nt", reason="needs curl and a POSIX shell")
@pytest.mark.parametrize("name", ['it\'s; a, "b" 图.jpg', "back\\slash.jpg", "plain.jpg"])
def test_odd_names_survive_the_shell(driver: Driver, tmp_path: Path, image_file: Path, name: str) -> None:
    shutil.copy(image_file, tmp_path / name)
    driver.window.viewer.browsing.open([tmp_path / name])
    driver.wait_detected(name)
    show_panel(driver)
    driver.switch_on()
    line = copied(driver, "copySnippet")
    command = ["sh", "-c", f"{line} -s"]
    done = driver.meanwhile(lambda: subprocess.run(command, capture_output=True, text=True, env=NO_PROXY, timeout=30))
    assert "predictions" in json.loads(done.stdout)


def test_snippets_without_a_key_send_none() -> None:
    request = ExampleRequest("http://a:1", "", "image.jpg", "型 号", 0.5, None)
    assert "Authorization" not in curl_snippet(request) + python_snippet(request)
    compile(python_snippet(request), "snippet", "exec")
    assert "'model=型 号'" in curl_snippet(request)


def test_the_table_shows_each_request(driver: Driver, image_file: Path) -> None:
    show_panel(driver)
    driver.switch_on()
    table = driver.find("requestTable")
    assert isinstance(table, QTableView)
    assert not table.isVisible()
    assert "No requests yet" in text_of(driver, "serverTotals")
    driver.ask(image_file)
    driver.ask(image_file, model="no such")
    driver.wait_until(lambda: driver.server.state.totals.requests == 2)
    model = table.model()
    assert model is not None
    assert table.isVisible()
    rows = [[model.data(model.index(row, column)) for column in range(7)] for row in range(model.rowCount())]
    assert [row[1:5] + row[6:] for row in rows] == [
        ["127.0.0.1", "detections", "0", "0", "404"],
        ["127.0.0.1", "detections", "1", "98", "200"],
    ]
    assert text_of(driver, "serverTotals") == "2 requests, 1 image, 98 tokens, 1 failed"
    headers = [model.headerData(column, Qt.Orientation.Horizontal) for column in range(7)]
    assert headers == ["Time", "Client", "Endpoint", "Images", "Tokens", "ms", "Status"]


def test_rows_are_added_at_the_top(driver: Driver) -> None:
    table, rows = RequestTable(), tuple(AnsweredRequest(at, "c", "GET", f"/{at}", 0, 0, 1, 200) for at in range(9))
    inserted: list[tuple[int, int]] = []
    model = table.model()
    assert model is not None
    table.show_requests(rows[5:7])
    model.rowsInserted.connect(lambda _, first, last: inserted.append((first, last)))
    table.show_requests(rows[3:7])
    table.show_requests(rows[2:5])
    assert inserted == [(0, 1), (0, 0)]
    assert [model.data(model.index(row, 2)) for row in range(model.rowCount())] == ["2", "3", "4"]
    table.deleteLater()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("state", ["off", "on", "everyone", "problem"])
def test_nothing_is_cut(
    open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, image_file: Path, language: str, state: str
) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    driver = open_window(image_file)
    driver.window.resize(1280, 720)
    driver.wait_detected(image_file.name)
    show_panel(driver)
    if state in ("on", "everyone"):
        driver.switch_on(EVERYONE if state == "everyone" else "127.0.0.1")
        driver.ask(image_file)
        driver.wait_until(lambda: driver.server.state.totals.requests == 1)
    elif state == "problem":
        driver.server.set_host(EVERYONE)
        with patch.object(ServerRunner, "apply", side_effect=EngineError("x", "Why it does not start. " * 9)):
            driver.server.switch(True)
            driver.wait_until(lambda: driver.server.state.problem != "")
    driver.qtbot.wait(80)
    assert (driver.window.width(), driver.window.height()) == (1280, 720)
    header = driver.find("requestTable").horizontalHeader()  # type: ignore[attr-defined]
    for column in range(7) if header.isVisible() else ():
        title = header.model().headerData(column, Qt.Orientation.Horizontal)
        assert header.sectionSize(column) >= header.fontMetrics().horizontalAdvance(title) + 6, title
    shown = [each for each in driver.window.findChildren(QWidget) if each.isVisible() and not scrolls_or_links(each)]
    assert [cut for widget in shown if (cut := why_cut(widget))] == []
    host = driver.find("serverHost")
    assert host.minimumSizeHint().width() <= host.width()


def scrolls_or_links(widget: QWidget) -> bool:
    """What `why_cut` cannot judge: tables, the key's field, labels of HTML."""
    is_link = isinstance(widget, QLabel) and widget.text().startswith("<a")
    return is_link or isinstance(widget, QTableView) or widget.objectName() == "serverKey"


@pytest.mark.parametrize("scheme", THEMES)
def test_on_and_off_look_different_in_both_themes(driver: Driver, scheme: str) -> None:
    app = QGuiApplication.instance()
    apply_theme(app, scheme)  # type: ignore[arg-type]
    toggle = driver.find("serverToggle")
    off = toggle.grab().toImage()
    driver.switch_on()
    driver.qtbot.wait(200)
    on = toggle.grab().toImage()
    assert on != off
    assert on.pixelColor(16, toggle.height() // 2) == on.pixelColor(20, toggle.height() // 2)
    assert on.pixelColor(16, toggle.height() // 2).name() == THEMES[scheme].accent  # type: ignore[index]
    apply_theme(app, "light")  # type: ignore[arg-type]
