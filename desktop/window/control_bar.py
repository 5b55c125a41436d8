"""The toolbar: model, threshold, top k, detect and cancel, export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QAction,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QToolBar,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from desktop.state.viewer import MAX_TOP_K, ViewerState
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import menu_of
from desktop.style.theme import GRID, number_font


class ControlBar(QToolBar):
    """Chooses the model and which detections are shown.

    Signals:
        model_chosen(str): A model of the list.
        folder_chosen(Path): A checkpoint folder to use as a model.
        models_asked: The user wants to manage the models.
        threshold_chosen(float): 0..1.
        top_k_chosen(int | None): `None` shows all.
        detect_asked, cancel_asked: The buttons.
    """

    model_chosen = pyqtSignal(str)
    folder_chosen = pyqtSignal(object)
    models_asked = pyqtSignal()
    threshold_chosen = pyqtSignal(float)
    top_k_chosen = pyqtSignal(object)
    detect_asked = pyqtSignal()
    cancel_asked = pyqtSignal()

    def __init__(
        self,
        export_actions: Sequence[QAction | None],
        more_actions: Sequence[QAction | None],
        view_panel: QWidget,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(tr("Controls"), parent)
        self.setObjectName("controlBar")
        self.setMovable(False)
        self.setIconSize(QSize(16, 16))
        self._models: tuple[str, ...] = ()
        self._picker = self._make_picker()
        self._slider = self._make_slider()
        self._threshold = self._make_threshold_spin()
        self._top_k = self._make_top_k_spin()
        self._detect = self._make_detect_button()
        self._cancel = self._make_cancel_button()
        self._add_labelled(tr("Model"), self._picker, self._make_folder_button())
        self.addSeparator()
        self._add_labelled(tr("Threshold"), self._slider, self._threshold)
        self.addSeparator()
        self._add_labelled(tr("Top k"), self._top_k)
        self.addSeparator()
        self.addWidget(self._detect)
        self.addWidget(self._cancel)
        stretch = QWidget()
        stretch.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(stretch)
        self._export = _export_button(export_actions)
        self.addWidget(_popup_button(view_panel))
        self.addWidget(self._export)
        self.addWidget(_more_button(more_actions))

    def show_state(self, state: ViewerState) -> None:
        """Show the model, the filter and whether something runs."""
        self._show_models(state)
        percent = round(state.chosen.threshold * 100)
        with QSignalBlocker(self._slider):
            self._slider.setValue(percent)
        if self._threshold.value() != round(state.chosen.threshold, 2):
            with QSignalBlocker(self._threshold):
                self._threshold.setValue(state.chosen.threshold)
        if self._top_k.value() != (state.chosen.top_k or 0):
            with QSignalBlocker(self._top_k):
                self._top_k.setValue(state.chosen.top_k or 0)
        busy = state.stage is not None
        self._cancel.setEnabled(busy)
        self._detect.setEnabled(not busy and state.image is not None)
        self._export.setEnabled(state.detections is not None)

    def _show_models(self, state: ViewerState) -> None:
        with QSignalBlocker(self._picker):
            if state.models != self._models:
                self._models = state.models
                self._picker.clear()
                for at, name in enumerate(state.models):
                    self._picker.addItem(name)
                    self._picker.setItemData(at, name, Qt.ItemDataRole.ToolTipRole)
            self._picker.setCurrentIndex(self._models.index(state.model) if state.model in self._models else -1)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Choose a model folder"))
        if folder:
            self.folder_chosen.emit(Path(folder))

    def _add_labelled(self, text: str, *widgets: QWidget) -> None:
        label = QLabel(text)
        label.setProperty("hint", True)
        label.setContentsMargins(GRID, 0, GRID // 2, 0)
        label.setBuddy(widgets[0])
        self.addWidget(label)
        for widget in widgets:
            self.addWidget(widget)

    def _make_picker(self) -> QComboBox:
        picker = QComboBox()
        picker.setObjectName("modelPicker")
        picker.setAccessibleName(tr("Model"))
        picker.setToolTip(tr("The model that detects"))
        _let_shrink(picker, 14 * GRID, 24 * GRID)
        picker.currentTextChanged.connect(self.model_chosen)
        return picker

    def _make_folder_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("modelFolderButton")
        button.setAccessibleName(tr("Other models"))
        button.setToolTip(tr("Other models"))
        button.setIcon(icon("folder-open"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.addAction(tr("Manage models…")).triggered.connect(self.models_asked)
        menu.addAction(tr("Use a folder in this run…")).triggered.connect(self._ask_folder)
        button.setMenu(menu)
        return button

    def _make_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setObjectName("thresholdSlider")
        slider.setAccessibleName(tr("Threshold"))
        slider.setToolTip(tr("Show only detections with a score above this  ([ and ])"))
        slider.setRange(0, 100)
        _let_shrink(slider, 8 * GRID, 20 * GRID)
        slider.valueChanged.connect(lambda percent: self.threshold_chosen.emit(percent / 100))
        return slider

    def _make_threshold_spin(self) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setObjectName("thresholdSpin")
        spin.setAccessibleName(tr("Threshold"))
        spin.setToolTip(tr("Show only detections with a score above this"))
        spin.setRange(0.0, 1.0)
        spin.setSingleStep(0.05)
        spin.setFont(number_font())
        spin.valueChanged.connect(self.threshold_chosen)
        return spin

    def _make_top_k_spin(self) -> QSpinBox:
        spin = QSpinBox()
        spin.setObjectName("topKSpin")
        spin.setAccessibleName(tr("Top k"))
        spin.setToolTip(tr("Show at most this many detections, best first; 0 shows all"))
        spin.setRange(0, MAX_TOP_K)
        spin.setSpecialValueText(tr("all"))
        spin.setFont(number_font())
        spin.valueChanged.connect(lambda top_k: self.top_k_chosen.emit(top_k or None))
        return spin

    def _make_detect_button(self) -> QPushButton:
        button = QPushButton(icon("play", "accent_text"), tr("Detect"))
        button.setObjectName("detectButton")
        button.setAccessibleName(tr("Detect"))
        button.setToolTip(tr("Ask the model about this image again  (F5)"))
        button.setProperty("primary", True)
        button.clicked.connect(self.detect_asked)
        return button

    def _make_cancel_button(self) -> QPushButton:
        button = QPushButton(icon("x"), tr("Cancel"))
        button.setObjectName("cancelButton")
        button.setAccessibleName(tr("Cancel"))
        button.setToolTip(tr("Give up what is running  (Esc)"))
        button.clicked.connect(self.cancel_asked)
        return button


def _let_shrink(widget: QWidget, least: int, most: int) -> None:
    """Let a widget shrink: a toolbar hides what does not fit."""
    widget.setMinimumWidth(least)
    widget.setMaximumWidth(most)
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)


def _export_button(actions: Sequence[QAction | None]) -> QToolButton:
    button = QToolButton()
    button.setObjectName("exportButton")
    button.setAccessibleName(tr("Export"))
    button.setText(tr("Export"))
    button.setIcon(icon("download"))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setMenu(menu_of(actions, button))
    return button


def _popup_button(panel: QWidget) -> QToolButton:
    button = QToolButton()
    button.setObjectName("viewButton")
    button.setAccessibleName(tr("View"))
    button.setToolTip(tr("Brightness, contrast, and how strongly boxes and labels are drawn"))
    button.setIcon(icon("eye"))
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(button)
    content = QWidgetAction(menu)
    content.setDefaultWidget(panel)
    menu.addAction(content)
    button.setMenu(menu)
    return button


def _more_button(actions: Sequence[QAction | None]) -> QToolButton:
    button = QToolButton()
    button.setObjectName("moreButton")
    button.setAccessibleName(tr("More"))
    button.setToolTip(tr("Detect in all images, settings, keys"))
    button.setIcon(icon("settings"))
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setMenu(menu_of(actions, button))
    return button
