"""A row of the hub's page: a download, its progress and buttons."""

from __future__ import annotations

import math

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from desktop.state.hub import Download, Phase
from desktop.style.i18n import tr, tr_count
from desktop.style.parts import ElidedLabel, push_button
from desktop.style.theme import GRID, number_font
from desktop.style.time_left import time_left

_MEGABYTE = 1e6
_SCALE = 1000
"""Steps of the progress bar."""


class DownloadRow(QFrame):
    """One download.

    Signals:
        pause_asked, resume_asked, cancel_asked: The buttons, with the model's id.
        use_asked(str): The button, with the model's name in the catalog.
    """

    pause_asked = pyqtSignal(str)
    resume_asked = pyqtSignal(str)
    cancel_asked = pyqtSignal(str)
    use_asked = pyqtSignal(str)

    def __init__(self, download: Download, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("downloadRow")
        self._download = download
        self._name = ElidedLabel("downloadName")
        self._told = QLabel()
        self._told.setObjectName("downloadTold")
        self._told.setFont(number_font())
        self._told.setProperty("hint", True)
        self._problem = QLabel()
        self._problem.setObjectName("downloadProblem")
        self._problem.setProperty("danger", True)
        self._problem.setWordWrap(True)
        self._bar = QProgressBar()
        self._bar.setObjectName("downloadBar")
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setTextVisible(False)
        self._go = push_button("downloadGo")
        self._go.clicked.connect(self._on_go)
        self._end = push_button("downloadEnd")
        self._end.clicked.connect(lambda: self.cancel_asked.emit(self._download.model))
        self._lay_out()
        self.show_download(download)

    def show_download(self, download: Download) -> None:
        """Show the progress."""
        self._download = download
        phase, progress = download.phase, download.progress
        self.setAccessibleName(download.model)
        self._name.setText(download.model)
        self._told.setText(_progress_text(download))
        self._problem.setText(download.problem)
        self._problem.setVisible(phase is Phase.FAILED)
        is_asking = phase is Phase.RUNNING and not progress.total
        self._bar.setRange(0, 0 if is_asking else _SCALE)
        self._bar.setValue(_SCALE if phase is Phase.DONE else int(_SCALE * progress.done / max(progress.total, 1)))
        self._bar.setVisible(phase is not Phase.DONE)
        for button, text in ((self._go, _go_text(phase)), (self._end, _end_text(phase))):
            button.setText(text)
            button.setAccessibleName(text)
        self._go.setProperty("primary", phase is Phase.DONE)
        self._go.setStyleSheet("")  # makes Qt apply the style of the property

    def _on_go(self) -> None:
        download = self._download
        if download.phase is Phase.DONE:
            self.use_asked.emit(download.name)
        elif download.phase is Phase.RUNNING:
            self.pause_asked.emit(download.model)
        else:
            self.resume_asked.emit(download.model)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self._name, 1)
        top.addWidget(self._told)
        texts = QVBoxLayout()
        texts.setSpacing(GRID // 2)
        texts.addLayout(top)
        texts.addWidget(self._bar)
        texts.addWidget(self._problem)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, GRID // 2, 0, GRID // 2)
        row.setSpacing(GRID)
        row.addLayout(texts, 1)
        row.addWidget(self._go)
        row.addWidget(self._end)


def _go_text(phase: Phase) -> str:
    return {
        Phase.RUNNING: tr("Pause"),
        Phase.PAUSED: tr("Resume"),
        Phase.LEFT: tr("Resume"),
        Phase.FAILED: tr("Try again"),
        Phase.DONE: tr("Use now"),
    }[phase]


def _end_text(phase: Phase) -> str:
    if phase is Phase.DONE:
        return tr("Close")
    return tr("Discard") if phase in (Phase.LEFT, Phase.FAILED) else tr("Cancel")


def _progress_text(download: Download) -> str:
    """Return the downloaded size, the rate and the time left, in words."""
    phase, progress = download.phase, download.progress
    if phase is Phase.DONE:
        return tr("downloaded as {name}", name=download.name) if download.name else ""
    done = tr("{done} of {total} MB", done=_megabytes(progress.done), total=_megabytes(progress.total))
    if phase is not Phase.RUNNING:
        told = {Phase.PAUSED: tr("paused"), Phase.LEFT: tr("not finished"), Phase.FAILED: ""}[phase]
        return " · ".join(filter(None, (told, done if progress.total else "")))
    if progress.state == "asking":
        return tr("asking the hub…")
    if progress.state == "waiting":
        seconds = math.ceil(progress.retry_in or 0)
        again = tr_count("tries again in {count} second", "tries again in {count} seconds", seconds)
        return f"{done} · {again}" if progress.total else again
    if progress.state == "checking" and not progress.rate:
        return f"{done} · {tr('checking what is here…')}"
    rate = tr("{rate} MB/s", rate=_megabytes(progress.rate)) if progress.rate else ""
    left = "" if progress.seconds_left is None else time_left(progress.seconds_left)
    return " · ".join(filter(None, (done, rate, left)))


def _megabytes(count: float) -> str:
    return f"{count / _MEGABYTE:,.1f}"
