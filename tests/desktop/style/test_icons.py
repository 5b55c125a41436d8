"""Icons in the colours of the theme."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QSize
from PyQt5.QtGui import QColor, QIcon, QImage
from PyQt5.QtWidgets import QApplication

from desktop.style.icons import icon, program_icon
from desktop.style.theme import THEMES, Scheme
from engine.paths import resource

NAMES = sorted(path.stem for path in resource("icons").glob("*.svg") if path.stem != "detrdesk")


@pytest.fixture(autouse=True)
def light_again(qapp: QApplication) -> Iterator[None]:
    yield
    qapp.setProperty("detrdesk_scheme", None)


def strongest_colour(drawn: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> QColor:
    image = drawn.pixmap(QSize(48, 48), mode).toImage().convertToFormat(QImage.Format.Format_ARGB32)
    points = [(x, y) for x in range(image.width()) for y in range(image.height())]
    return max((image.pixelColor(x, y) for x, y in points), key=QColor.alpha)


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize("name", NAMES)
def test_an_icon_has_the_colour_of_the_text(qapp: QApplication, name: str, scheme: Scheme) -> None:
    qapp.setProperty("detrdesk_scheme", scheme)
    colour, wanted = strongest_colour(icon(name)), QColor(THEMES[scheme].text)
    assert colour.alpha() > 200
    assert abs(colour.lightness() - wanted.lightness()) <= 4


def test_an_icon_follows_the_theme(qapp: QApplication) -> None:
    drawn = icon("search")
    light = strongest_colour(drawn)
    qapp.setProperty("detrdesk_scheme", "dark")
    assert strongest_colour(drawn).lightness() > light.lightness() + 100


def test_a_disabled_icon_is_dim(qapp: QApplication) -> None:
    drawn = icon("search")
    assert strongest_colour(drawn, QIcon.Mode.Disabled).lightness() > strongest_colour(drawn).lightness() + 50


def test_an_icon_may_have_another_colour_of_the_theme(qapp: QApplication) -> None:
    assert strongest_colour(icon("play", "accent_text")).lightness() > 250


def test_an_icon_that_is_not_there_is_told_at_once(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")


def test_the_program_has_its_icon(qapp: QApplication) -> None:
    assert strongest_colour(program_icon()).alpha() == 255
