"""The choice of tiles for large images, with the cost of each."""

from __future__ import annotations

import math

from PyQt5.QtCore import QSignalBlocker, pyqtSignal
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr, tr_count
from desktop.style.theme import GRID
from engine.detect.tiling import Pace, Tiling

SIDES = (1280, 960, 640, 480, 320)
"""Pixels; smaller tiles find smaller objects and take longer."""

_LEAST_CHARACTERS = 12
_MINUTE = 60


class TilingRow(QWidget):
    """Chooses the size of tiles, or none.

    Signals:
        tiling_chosen(Tiling | None): The chosen tiles, or none.
    """

    tiling_chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Tiling | None, Pace | None] | None = None
        self._choices: list[Tiling | None] = []
        self._picker = QComboBox()
        self._picker.setObjectName("tilingPicker")
        self._picker.setAccessibleName(tr("Tiles"))
        self._picker.setToolTip(
            tr("Look at large images tile by tile, too: small things are found, and it takes that much longer")
        )
        self._picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._picker.setMinimumContentsLength(_LEAST_CHARACTERS)
        self._picker.activated.connect(lambda at: self.tiling_chosen.emit(self._choices[at]))
        label = QLabel(tr("Tiles"))
        label.setBuddy(self._picker)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.setSpacing(GRID)
        row.addWidget(label)
        row.addWidget(self._picker, 1)

    def show_state(self, state: ViewerState) -> None:
        """Show the chosen tiles, and what each choice costs with this model and image."""
        if self._shown == (state.tiling, state.pace):
            return
        self._shown = state.tiling, state.pace
        sides = set(SIDES) if state.tiling is None else {*SIDES, state.tiling.side}
        choices = [None, *(Tiling(side) for side in sorted(sides, reverse=True))]
        with QSignalBlocker(self._picker):
            if choices != self._choices:
                self._choices = choices
                self._picker.clear()
                self._picker.addItems([""] * len(choices))
            for at, tiling in enumerate(choices):
                self._picker.setItemText(at, tr("off") if tiling is None else _words(tiling, state.pace))
            self._picker.setCurrentIndex(choices.index(state.tiling))


def _words(tiling: Tiling, pace: Pace | None) -> str:
    """Return a choice with its cost, as far as that is known."""
    side = tr("{side} px", side=tiling.side)
    if pace is None:
        return side
    count, seconds = pace.tiles(tiling), pace.seconds(tiling)
    if not count:
        cost = tr("this image is small enough without")
    elif seconds is None:
        cost = tr_count("{count:,} tile", "{count:,} tiles", count)
    else:
        cost = tr_count(
            "{count:,} tile, about {time} an image",
            "{count:,} tiles, about {time} an image",
            count,
            time=_time(seconds),
        )
    return tr("{side}: {cost}", side=side, cost=cost)


def _time(seconds: float) -> str:
    """Return a duration in seconds or minutes."""
    if seconds < _MINUTE:
        return tr("{seconds} s", seconds=math.ceil(seconds))
    return tr("{minutes} min", minutes=math.ceil(seconds / _MINUTE))
