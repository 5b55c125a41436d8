"""The popup with brightness, contrast and the opacity of boxes and labels."""

from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QLabel, QPushButton, QSlider, QSpinBox, QVBoxLayout, QWidget

from desktop.canvas.display import MOST, DisplaySettings
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import hint_label
from desktop.style.theme import GRID, number_font

_STEP = 10
_WIDTH, _SPIN_WIDTH = 40 * GRID, 13 * GRID


class ViewPanel(QWidget):
    """Sliders with their numbers.

    Signals:
        display_chosen(DisplaySettings): The settings, while they are being changed.
    """

    display_chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewPanel")
        self.setAccessibleName(tr("View"))
        self.setFixedWidth(_WIDTH)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(GRID // 2)
        self._brightness = self._add_row("brightness", tr("Brightness"), -MOST, 0)
        self._contrast = self._add_row("contrast", tr("Contrast"), -MOST, 0)
        self._boxes = self._add_row("boxOpacity", tr("Boxes"), 0, 100, tr("Opacity of boxes"), " %")
        self._labels = self._add_row("labelOpacity", tr("Labels"), 0, 100, tr("Opacity of labels"), " %")
        self._reset = self._make_reset()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        layout.addLayout(self._grid)
        layout.addWidget(hint_label(tr("For the eye only: the model and exports see the image as it is.")))
        layout.addWidget(self._reset, 0, Qt.AlignmentFlag.AlignRight)

    @property
    def display(self) -> DisplaySettings:
        """The present settings."""
        opacities = self._boxes.value() / 100, self._labels.value() / 100
        return DisplaySettings(self._brightness.value(), self._contrast.value(), *opacities)

    def show_display(self, display: DisplaySettings) -> None:
        """Show settings without a signal."""
        values = (
            display.brightness,
            display.contrast,
            round(display.box_opacity * 100),
            round(display.label_opacity * 100),
        )
        with QSignalBlocker(self):
            for slider, value in zip(self._sliders, values, strict=True):
                slider.setValue(value)

    def reset(self) -> None:
        """Reset all settings."""
        before = self.display
        self.show_display(DisplaySettings())
        if self.display != before:
            self.display_chosen.emit(self.display)

    @property
    def _sliders(self) -> tuple[QSlider, ...]:
        return self._brightness, self._contrast, self._boxes, self._labels

    def _add_row(self, name: str, text: str, least: int, usual: int, spoken: str = "", unit: str = "") -> QSlider:
        slider, spin = QSlider(Qt.Orientation.Horizontal), QSpinBox()
        for widget, kind in ((slider, "Slider"), (spin, "Spin")):
            widget.setObjectName(name + kind)
            widget.setAccessibleName(spoken or text)
            widget.setToolTip(spoken or text)
            widget.setRange(least, 100)
            widget.setValue(usual)
        slider.setPageStep(_STEP)
        spin.setSuffix(unit)
        spin.setSingleStep(_STEP)
        spin.setFont(number_font())
        spin.setFixedWidth(_SPIN_WIDTH)
        slider.valueChanged.connect(spin.setValue)
        spin.valueChanged.connect(slider.setValue)
        slider.valueChanged.connect(self._tell)
        label = QLabel(text)
        label.setBuddy(slider)
        row = self._grid.rowCount()
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(slider, row, 1)
        self._grid.addWidget(spin, row, 2)
        self._grid.setColumnStretch(1, 1)
        return slider

    def _tell(self) -> None:
        self._reset.setEnabled(self.display != DisplaySettings())
        self.display_chosen.emit(self.display)

    def _make_reset(self) -> QPushButton:
        button = QPushButton(icon("rotate-ccw"), tr("Reset"))
        button.setObjectName("viewResetButton")
        button.setAccessibleName(tr("Reset brightness, contrast and opacity"))
        button.setEnabled(False)
        button.clicked.connect(self.reset)
        return button
