"""The bar that shows the progress of detecting in all images."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QWidget

from desktop.batch.failure_list import FailureList
from desktop.state.batch import BatchState
from desktop.style.i18n import tr, tr_count
from desktop.style.icons import icon
from desktop.style.parts import flat_button
from desktop.style.theme import GRID, number_font
from desktop.style.time_left import time_left

_LONG_SECONDS = 100
_WHOLE = 9.95
"""From here on two figures are before the point, and enough."""


class BatchBar(QFrame):
    """Visible while a batch runs, and afterwards if images failed.

    Signals:
        paused, resumed, cancelled: The buttons.
        dismissed: The close button.
        source_chosen(Source): A failed image is to be shown.
    """

    paused = pyqtSignal()
    resumed = pyqtSignal()
    cancelled = pyqtSignal()
    dismissed = pyqtSignal()
    source_chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("batchBar")
        self.setAccessibleName(tr("Detecting in all images"))
        self._state: BatchState | None = None
        self._list: FailureList | None = None
        self._progress = QProgressBar()
        self._progress.setObjectName("batchProgress")
        self._progress.setAccessibleName(tr("Images that are done"))
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(GRID // 2)
        self._progress.setMinimumWidth(8 * GRID)
        self._counts, self._speed = QLabel(), QLabel()
        self._counts.setObjectName("batchCounts")
        self._speed.setObjectName("batchSpeed")
        for label in (self._counts, self._speed):
            label.setFont(number_font())
            label.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self._speed.setProperty("hint", True)
        self._failures = flat_button("batchFailures")
        self._failures.setIcon(icon("triangle-alert", "danger"))
        self._failures.clicked.connect(self._show_failures)
        self._pause = flat_button("batchPause")
        self._pause.clicked.connect(self._toggle_pause)
        self._cancel = flat_button("batchCancel")
        self._cancel.clicked.connect(self._leave)
        self._lay_out()
        self.hide()

    def show_batch(self, state: BatchState | None) -> None:
        """Show the progress; `None`, and a batch that ended without failures, hide the bar."""
        self._state = state
        if state is None or not (state.is_running or state.failures):
            self.hide()
            return
        self._progress.setRange(0, max(state.total, 1))
        self._progress.setValue(state.done)
        self._counts.setText(_counts(state))
        self._speed.setText(_speed(state) if state.is_running else "")
        self._speed.setMinimumWidth(max(self._speed.minimumWidth(), self._speed.sizeHint().width()))
        self._failures.setText(_failed(len(state.failures)))
        self._failures.setVisible(bool(state.failures))
        self._pause.setText(tr("Resume") if state.is_paused else tr("Pause"))
        self._pause.setVisible(state.is_running)
        self._progress.setVisible(state.is_running)
        self._cancel.setText(tr("Cancel") if state.is_running else tr("Close"))
        for button in (self._failures, self._pause, self._cancel):
            button.setAccessibleName(button.text())
        if self._list is not None:
            self._list.show_failures(state.failures)
        self.show()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(GRID)
        row.addWidget(self._counts)
        row.addWidget(self._progress, 1)
        row.addWidget(self._speed)
        row.addStretch(0)
        row.addWidget(self._failures)
        row.addWidget(self._pause)
        row.addWidget(self._cancel)

    def _toggle_pause(self) -> None:
        if self._state is not None:
            (self.resumed if self._state.is_paused else self.paused).emit()

    def _leave(self) -> None:
        if self._state is not None and self._state.is_running:
            self.cancelled.emit()
        else:
            self.dismissed.emit()

    def _show_failures(self) -> None:
        if self._state is None:
            return
        if self._list is None:
            self._list = FailureList(self.window())
            self._list.source_chosen.connect(self.source_chosen)
        self._list.show_failures(self._state.failures)
        self._list.show()
        self._list.activateWindow()


def _counts(state: BatchState) -> str:
    if state.is_running:
        return tr("{done:,} of {total:,}", done=state.done, total=state.total)
    return tr("Detected in {done:,} of {total:,} images", done=state.done - len(state.failures), total=state.total)


def _speed(state: BatchState) -> str:
    if state.is_paused:
        return tr("paused")
    if state.images_per_second is None or state.seconds_left is None:
        return ""
    return f"{_rate(state.images_per_second)} · {time_left(state.seconds_left)}"


def _rate(images_per_second: float) -> str:
    """Return images per second, or seconds or minutes per image, whichever is at least 1."""
    if images_per_second >= 1:
        return tr("{rate} images/s", rate=_rounded(images_per_second))
    seconds = 1 / images_per_second
    if seconds < _LONG_SECONDS:
        return tr("{seconds} s/image", seconds=_rounded(seconds))
    return tr("{minutes} min/image", minutes=_rounded(seconds / 60))


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= _WHOLE else f"{number:.1f}"


def _failed(count: int) -> str:
    return tr_count("{count:,} could not be opened", "{count:,} could not be opened", count)
