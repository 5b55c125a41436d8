"""Colours, fonts and the style sheet."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor, QFontMetricsF, QPalette
from PyQt5.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSlider,
    QTabBar,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.canvas.view import ImageView
from desktop.keys.field import KeyField
from desktop.style import theme
from desktop.style.theme import DARK, LIGHT, THEMES, Scheme, Theme, apply_theme, current_theme, system_scheme
from desktop.style.toggle import Toggle
from engine.render.palette import relative_luminance

READABLE, VISIBLE = 4.5, 3.0


@pytest.fixture(autouse=True)
def plain_again(qapp: QApplication) -> Iterator[None]:
    palette, font = QPalette(qapp.palette()), qapp.font()
    yield
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setFont(font)
    qapp.setProperty("detrdesk_scheme", None)


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((relative_luminance(QColor(colour).getRgb()[:3]) for colour in (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize("ground", ["window", "surface", "hover", "pressed", "selection"])
def test_text_is_readable(scheme: Scheme, ground: str) -> None:
    assert contrast(THEMES[scheme].text, getattr(THEMES[scheme], ground)) >= READABLE


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize("colour", ["text_muted", "link", "danger", "warning", "success"])
@pytest.mark.parametrize("ground", ["window", "surface", "hover"])
def test_other_text_is_readable(scheme: Scheme, colour: str, ground: str) -> None:
    assert contrast(getattr(THEMES[scheme], colour), getattr(THEMES[scheme], ground)) >= READABLE


@pytest.mark.parametrize("scheme", THEMES)
def test_text_on_colours_is_readable(scheme: Scheme) -> None:
    shown = THEMES[scheme]
    for ground in (shown.accent, shown.accent_hover, shown.accent_pressed):
        assert contrast(shown.accent_text, ground) >= READABLE
    assert contrast(shown.tooltip_text, shown.tooltip) >= READABLE
    assert contrast(shown.text_muted, shown.selection) >= READABLE


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize("ground", ["window", "surface", "canvas"])
def test_focus_is_visible(scheme: Scheme, ground: str) -> None:
    assert contrast(THEMES[scheme].focus, getattr(THEMES[scheme], ground)) >= VISIBLE


@pytest.mark.parametrize("shown", [LIGHT, DARK])
def test_every_colour_is_one(shown: Theme) -> None:
    names = [field.name for field in dataclasses.fields(shown) if field.name != "scheme"]
    assert all(QColor(getattr(shown, name)).isValid() for name in names)


@pytest.mark.parametrize("scheme", THEMES)
def test_applying_reaches_widgets(qapp: QApplication, qtbot: QtBot, scheme: Scheme) -> None:
    button, slider = QPushButton("Detect"), QSlider()
    button.setProperty("primary", True)
    for widget in (button, slider):
        qtbot.addWidget(widget)
    apply_theme(qapp, scheme)
    button.resize(120, 40)
    assert current_theme() is THEMES[scheme]
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(THEMES[scheme].window)
    assert button.grab().toImage().pixelColor(10, 20) == QColor(THEMES[scheme].accent)


def test_the_canvas_follows(qapp: QApplication, qtbot: QtBot) -> None:
    view = ImageView()
    qtbot.addWidget(view)
    for scheme, shown in THEMES.items():
        apply_theme(qapp, scheme)
        assert view.viewport().grab().toImage().pixelColor(5, 5) == QColor(shown.canvas)


def test_the_style_sheet_is_filled_in_and_its_pictures_exist(qapp: QApplication) -> None:
    sheet = theme.style_sheet(LIGHT, 10)
    assert "$" not in sheet
    pictures = {part.split(")")[0].removeprefix("style:") for part in sheet.split("url(")[1:]}
    shipped = {path.name for path in theme.resource("style").glob("*.svg")}
    assert pictures == shipped


def test_figures_are_as_wide_as_each_other(qapp: QApplication) -> None:
    metrics = QFontMetricsF(theme.number_font())
    assert len({round(metrics.horizontalAdvance(figure), 2) for figure in "0123456789"}) == 1


def test_hints_are_smaller_than_text(qapp: QApplication) -> None:
    assert theme.hint_font().pointSizeF() < theme.text_font().pointSizeF()


@pytest.mark.parametrize(("name", "scheme"), [("Adwaita:dark", "dark"), ("Yaru-dark", "dark"), ("Adwaita", "light")])
def test_follows_the_gtk_theme(qapp: QApplication, monkeypatch: pytest.MonkeyPatch, name: str, scheme: Scheme) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("GTK_THEME", name)
    assert system_scheme(qapp) == scheme


@pytest.mark.parametrize(("said", "scheme"), [("'prefer-dark'", "dark"), ("'prefer-light'", "light")])
def test_follows_the_desktop(qapp: QApplication, monkeypatch: pytest.MonkeyPatch, said: str, scheme: Scheme) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("GTK_THEME", raising=False)
    monkeypatch.setattr(theme, "output_of", lambda *command: said)
    assert system_scheme(qapp) == scheme


@pytest.mark.parametrize(("window", "scheme"), [("#202020", "dark"), ("#f0f0f0", "light")])
def test_follows_the_palette_where_the_desktop_says_nothing(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, window: str, scheme: Scheme
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("GTK_THEME", raising=False)
    monkeypatch.setattr(theme, "output_of", lambda *command: "")
    qapp.setPalette(QPalette(QColor(window)))
    assert system_scheme(qapp) == scheme


def test_a_command_that_is_not_there_says_nothing() -> None:
    assert theme.output_of("no-such-command-here") == ""


def primary() -> QWidget:
    button = QPushButton("Detect")
    button.setProperty("primary", True)
    return button


def checked() -> QWidget:
    box = QCheckBox("Checked")
    box.setChecked(True)
    return box


def tabs() -> QWidget:
    bar = QTabBar()
    bar.addTab("One")
    bar.addTab("Two")
    return bar


def choices() -> QWidget:
    box = QComboBox()
    box.addItems(["one", "two"])
    return box


def a_list() -> QWidget:
    widget = QListWidget()
    widget.addItems(["one", "two"])
    widget.setCurrentRow(0)
    return widget


def a_tree() -> QWidget:
    widget = QTreeWidget()
    widget.setCurrentItem(QTreeWidgetItem(widget, ["one"]))
    return widget


def a_table() -> QWidget:
    widget = QTableWidget(1, 1)
    widget.setItem(0, 0, QTableWidgetItem("one"))
    widget.setCurrentCell(0, 0)
    return widget


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize(
    "make",
    [
        lambda: QPushButton("Open"),
        primary,
        QToolButton,
        lambda: QLineEdit("text"),
        KeyField,
        choices,
        QDoubleSpinBox,
        lambda: QSlider(Qt.Orientation.Horizontal),
        lambda: QCheckBox("Free"),
        checked,
        lambda: QRadioButton("One"),
        lambda: Toggle("On"),
        tabs,
        lambda: QPlainTextEdit("text"),
        a_list,
        a_tree,
        a_table,
        ImageView,
    ],
)
def test_one_sees_what_the_keyboard_acts_on(
    qapp: QApplication, qtbot: QtBot, make: Callable[[], QWidget], scheme: Scheme
) -> None:
    apply_theme(qapp, scheme)
    window, widget, other = QWidget(), make(), QPushButton("Other")
    qtbot.addWidget(window)
    qapp.setCursorFlashTime(0)
    layout = QVBoxLayout(window)
    layout.addWidget(other)
    layout.addWidget(widget)
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    other.setFocus()
    without = widget.grab().toImage()
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    assert widget.hasFocus()
    if isinstance(widget, QLineEdit):
        widget.deselect()
    seen = widget.grab().toImage()
    points = [(x, y) for x in range(seen.width()) for y in range(seen.height())]
    changed = sum(seen.pixel(x, y) != without.pixel(x, y) for x, y in points)
    assert changed >= 24, "a cursor alone is easily missed"


AT_TWICE_THE_SIZE = """
from PyQt5.QtCore import QSize
from PyQt5.QtWidgets import QPushButton
from desktop.app import _application
from desktop.style.icons import icon
from desktop.style.theme import apply_theme

app = _application()
apply_theme(app, "dark")
button = QPushButton(icon("play"), "Detect")
grabbed = button.grab()
drawn = icon("play").pixmap(QSize(16, 16))
print(grabbed.devicePixelRatio(), grabbed.width() == 2 * button.width(), drawn.width(), button.fontInfo().pixelSize())
"""


def test_everything_is_twice_as_sharp_on_a_fine_screen() -> None:
    def told(scale: str) -> list[str]:
        environment = {**os.environ, "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"}
        command = [sys.executable, "-c", AT_TWICE_THE_SIZE]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()

    assert told("2")[:3] == ["2.0", "True", "32"]
    assert told("2")[3] == told("1")[3]
