"""StatusLine: warnings about the file of the image."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop.state.viewer import ViewerState
from desktop.window.status_line import StatusLine
from engine.errors import ImageError
from engine.image.opened import OpenedImage
from engine.image.source import Source


def test_a_damaged_file_is_told(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.show()
    label = line.findChild(QLabel, "warningLabel")
    assert label is not None
    image = OpenedImage(Source("path", "a.jpg", "a.jpg"), Image.new("RGB", (40, 30)), 1.0)
    damaged = replace(image, warnings=(ImageError("image_damaged", "A part of this image file is damaged."),))
    for each, text in ((image, ""), (damaged, "The file is damaged"), (image, "")):
        line.show_state(replace(ViewerState(), image=each))
        assert label.text() == text
        assert label.isVisible() == bool(text)
    line.show_state(replace(ViewerState(), image=damaged))
    assert label.toolTip() == "A part of this image file is damaged."
