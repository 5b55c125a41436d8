"""Controls of duplicate suppression."""

from __future__ import annotations

from dataclasses import replace

from PyQt5.QtCore import QSignalBlocker, pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QDoubleSpinBox, QHBoxLayout, QWidget

from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.style.theme import GRID, number_font
from engine.review.refine import Refinement

USUAL_IOU = 0.70
LEAST_IOU, MOST_IOU = 0.10, 0.95


class RefineRow(QWidget):
    """Switches suppression of overlapping boxes and sets its IoU.

    Signals:
        refinement_chosen(Refinement): Suppression was switched or its IoU changed.
    """

    refinement_chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._refinement = Refinement()
        self._toggle = QCheckBox(tr("Suppress duplicates"))
        self._toggle.setObjectName("suppressToggle")
        self._toggle.setAccessibleName(tr("Suppress duplicates"))
        self._toggle.setToolTip(tr("Of boxes that overlap more than this (IoU), keep only the one with the best score"))
        self._toggle.toggled.connect(self._choose)
        self._spin = self._make_spin()
        self._across = QCheckBox(tr("Across classes"))
        self._across.setObjectName("suppressAcross")
        self._across.setAccessibleName(tr("Across classes"))
        self._across.setToolTip(tr("Boxes of different classes suppress each other too"))
        self._across.toggled.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.setSpacing(GRID)
        row.addWidget(self._toggle)
        row.addWidget(self._spin)
        row.addStretch(1)
        row.addWidget(self._across)

    def show_state(self, state: ViewerState) -> None:
        """Show the settings of suppression."""
        self._refinement = state.refinement
        iou = state.refinement.suppress_iou
        with QSignalBlocker(self._toggle), QSignalBlocker(self._spin), QSignalBlocker(self._across):
            self._toggle.setChecked(iou is not None)
            self._across.setChecked(state.refinement.across_classes)
            if iou is not None and round(iou, 2) != self._spin.value():
                self._spin.setValue(iou)
        for part in (self._spin, self._across):
            part.setEnabled(iou is not None)

    def _choose(self) -> None:
        iou = round(self._spin.value(), 2) if self._toggle.isChecked() else None
        across = self._across.isChecked()
        self.refinement_chosen.emit(replace(self._refinement, suppress_iou=iou, across_classes=across))

    def _make_spin(self) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setObjectName("suppressSpin")
        spin.setAccessibleName(tr("Overlap (IoU) above which a box is a duplicate"))
        spin.setToolTip(tr("Overlap (IoU) above which a box is a duplicate"))
        spin.setRange(LEAST_IOU, MOST_IOU)
        spin.setSingleStep(0.05)
        spin.setValue(USUAL_IOU)
        spin.setFont(number_font())
        spin.valueChanged.connect(self._choose)
        return spin
