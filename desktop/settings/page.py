"""The form of the settings dialog."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop.settings.preferences import PreferenceStore
from desktop.style.i18n import error_text, tr
from desktop.style.parts import hint_label
from desktop.style.theme import GRID, number_font
from engine.errors import EngineError
from engine.models.hub.endpoint import OFFICIAL, endpoint_of

_MEGAPIXEL, _MEBIBYTE = 1_000_000, 1024 * 1024
_FIELD_WIDTH = 28 * GRID


class SettingsPage(QWidget):
    """One row a setting; made anew for another language.

    Signals:
        keys_asked: The list of keys is to be shown.
    """

    keys_asked = pyqtSignal()

    def __init__(self, store: PreferenceStore, models: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settingsPage")
        self._store = store
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(3 * GRID)
        self._form.setVerticalSpacing(GRID)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._add_window()
        self._add_detection(models)
        self._add_limits()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        layout.addLayout(self._form)
        layout.addStretch(1)
        layout.addWidget(self._place())

    def _add_window(self) -> None:
        change, value = self._store.change, self._store.value
        self._add_heading(tr("Window"))
        languages = {"": tr("As the system"), "en": "English", "zh_CN": "简体中文"}
        self._add_choice("language", tr("Language"), languages, value.language, lambda to: change(language=to))
        schemes = {"system": tr("As the system"), "light": tr("Light"), "dark": tr("Dark")}
        self._add_choice("scheme", tr("Colours"), schemes, value.scheme, lambda to: change(scheme=to))
        keys = QPushButton(tr("Show and change…"))
        keys.setAutoDefault(False)
        keys.clicked.connect(self.keys_asked)
        self._add_row("keysButton", tr("Keys"), keys)

    def _add_detection(self, models: Sequence[str]) -> None:
        store, settings = self._store, self._store.settings
        self._add_heading(tr("Detection"))
        opening = QCheckBox(tr("Detect as soon as an image is opened"))
        opening.setChecked(store.value.detect_on_opening)
        opening.toggled.connect(lambda on: store.change(detect_on_opening=on))
        self._add_row("detectOnOpening", "", opening)
        threshold = QDoubleSpinBox()
        threshold.setRange(0.0, 1.0)
        threshold.setSingleStep(0.05)
        threshold.setToolTip(tr("The one that the window starts with"))
        self._add_number("threshold", tr("Threshold"), threshold, store.value.threshold)
        threshold.valueChanged.connect(lambda to: store.change(threshold=round(to, 2)))
        names = dict.fromkeys((*models, settings.model))
        self._add_setting("model", tr("Model at the start"), {name: name for name in names})
        self._add_setting("device", tr("Device"), _devices(settings.device))
        self._add_count("loaded_models", tr("Models in memory"), 16)
        self._add_endpoint()

    def _add_limits(self) -> None:
        self._add_heading(tr("Limits"))
        self._add_count("max_pixels", tr("Largest image (megapixels)"), 4000, _MEGAPIXEL)
        self._add_count("max_file_bytes", tr("Largest file (MiB)"), 65536, _MEBIBYTE)

    def _add_heading(self, text: str) -> None:
        heading = QLabel(text)
        heading.setProperty("heading", True)
        heading.setContentsMargins(0, 0 if self._form.rowCount() == 0 else 2 * GRID, 0, 0)
        self._form.addRow(heading)

    def _add_row(self, name: str, label: str, field: QWidget) -> None:
        field.setObjectName(name)
        field.setAccessibleName(label or str(field.property("text")))
        if not isinstance(field, QCheckBox):
            field.setFixedWidth(_FIELD_WIDTH)
        title = QLabel(label)
        title.setBuddy(field)
        self._form.addRow(title, field)

    def _add_choice(
        self, name: str, label: str, texts: Mapping[str, str], value: str, choose: Callable[[str], None]
    ) -> QComboBox:
        box = QComboBox()
        for each, text in texts.items():
            box.addItem(text, each)
        box.setCurrentIndex(box.findData(value))
        box.activated.connect(lambda at: choose(box.itemData(at)))
        self._add_row(name, label, box)
        return box

    def _add_setting(self, name: str, label: str, texts: Mapping[str, str]) -> None:
        """Add a setting of the engine with a few values."""
        value = getattr(self._store.settings, name)
        _leave_to_environment(self._add_choice(name, label, texts, value, lambda to: self._set(name, to)), name)

    def _add_number(self, name: str, label: str, box: QSpinBox | QDoubleSpinBox, value: float) -> None:
        box.setFont(number_font())
        box.setKeyboardTracking(False)
        if isinstance(box, QSpinBox):
            box.setValue(round(value))
        else:
            box.setValue(value)
        self._add_row(name, label, box)

    def _add_count(self, name: str, label: str, most: int, unit: int = 1) -> None:
        """Add a number of the engine, shown in a larger unit."""
        box = QSpinBox()
        box.setRange(1, most)
        self._add_number(name, label, box, max(1, round(getattr(self._store.settings, name) / unit)))
        box.valueChanged.connect(lambda to: self._set(name, to * unit))
        _leave_to_environment(box, name)

    def _add_endpoint(self) -> None:
        """Add the address of a mirror of the hub."""
        edit = QLineEdit(self._store.settings.hub_endpoint)
        edit.setPlaceholderText(OFFICIAL)
        edit.editingFinished.connect(lambda: self._set_endpoint(edit))
        self._add_row("hub_endpoint", tr("Hub, or a mirror of it"), edit)
        _leave_to_environment(edit, "hub_endpoint")

    def _set_endpoint(self, edit: QLineEdit) -> None:
        try:
            endpoint_of(edit.text())
        except EngineError as error:
            edit.setProperty("invalid", True)
            edit.setToolTip(error_text(error))
        else:
            edit.setProperty("invalid", False)
            edit.setToolTip("")
            self._set("hub_endpoint", edit.text().strip())
        edit.setStyleSheet("")  # makes Qt apply the style of the property

    def _set(self, name: str, value: Any) -> None:
        self._store.change_settings(**{name: value})

    def _place(self) -> QLabel:
        place = hint_label(tr("Everything is kept in {path}.", path=self._store.path))
        place.setObjectName("settingsPlace")
        place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        place.setTextFormat(Qt.TextFormat.PlainText)
        return place


def _devices(value: str) -> dict[str, str]:
    """Return the devices that this kind of computer can have, and the one that is set."""
    own = {"mps": "MPS (Apple)"} if sys.platform == "darwin" else {"cuda": "CUDA (NVIDIA)"}
    usual = {"auto": tr("The fastest there is"), "cpu": tr("CPU"), **own}
    return usual if value in usual else {**usual, value: value}


def _leave_to_environment(field: QWidget, name: str) -> None:
    """Disable a setting that an environment variable sets, because that would override it at the next start."""
    variable = f"DETRDESK_{name.upper()}"
    if variable in os.environ:
        field.setEnabled(False)
        field.setToolTip(tr("Set by the environment variable {variable}", variable=variable))
