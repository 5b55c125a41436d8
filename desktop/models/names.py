"""The dialog that asks for the class names of an ONNX file."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop.state.model import NamesWanted
from desktop.style.i18n import tr, tr_count
from desktop.style.parts import hint_label
from desktop.style.theme import GRID
from engine.models.onnx.class_names import SHARED_LISTS, read_names, shared_list

_WIDTH = 60 * GRID
_UNCOUNTED = 1000
"""So many numbers are given to a model of which nobody knows how many classes it has."""


class NamesDialog(QDialog):
    """Asks for the class names of one model.

    Signals:
        named(str, tuple[str, ...]): The model's name, and the class names by label id.
    """

    named = pyqtSignal(str, object)

    def __init__(self, wanted: NamesWanted, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("namesDialog")
        self.setWindowTitle(tr("Class names"))
        self.setAccessibleName(tr("Class names"))
        self._wanted = wanted
        self._from_file: tuple[str, ...] = ()
        self._group = QButtonGroup(self)
        self._ways = {
            "coco-80": self._way("namesCoco80", tr("COCO, 80 classes in order")),
            "coco-91": self._way("namesCoco91", tr("COCO, 91 category numbers")),
            "file": self._way("namesFile", tr("From a text file, one name a line")),
            "numbers": self._way("namesNumbers", tr("Number them")),
        }
        self._browse = QPushButton(tr("Choose…"))
        self._file, self._problem, self._sample = hint_label(""), QLabel(), hint_label("")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._lay_out()
        self._group.buttonToggled.connect(lambda _button, _is_on: self._show_chosen())
        self._ways[self._likeliest()].setChecked(True)

    @property
    def names(self) -> tuple[str, ...]:
        """The chosen names by label id; empty before a file is chosen."""
        way = next(key for key, button in self._ways.items() if button.isChecked())
        if way in SHARED_LISTS:
            return shared_list(way)
        if way == "file":
            return self._from_file
        return tuple(tr("Class {number}", number=at) for at in range(self._wanted.count or _UNCOUNTED))

    def take_file(self, path: Path) -> None:
        """Use the names in this file, or show why they cannot be used."""
        self._ways["file"].setChecked(True)
        try:
            found = read_names(path)
        except (OSError, ValueError):
            self._from_file = ()
            self._problem.setText(tr("{file} holds no class names, one a line.", file=path.name))
        else:
            self._problem.clear()
            self._from_file = tuple(found.get(at, f"class {at}") for at in range(max(found) + 1))
        self._file.setText(path.name)
        self._show_chosen()

    def accept(self) -> None:
        """Report the names."""
        self.named.emit(self._wanted.model, self.names)
        super().accept()

    def _likeliest(self) -> str:
        """Return the list that fits the number of classes: COCO has 80 classes, with category ids up to 90."""
        return {80: "coco-80", 90: "coco-91", 91: "coco-91"}.get(self._wanted.count, "numbers")

    def _ask_file(self) -> None:
        kinds = f"{tr('Lists of names')} (*.txt *.names *.json);;{tr('All files')} (*)"
        name, _ = QFileDialog.getOpenFileName(
            self, tr("Choose a list of class names"), str(self._wanted.path.parent), kinds
        )
        if name:
            self.take_file(Path(name))

    def _show_chosen(self) -> None:
        names, count = self.names, self._wanted.count
        self._browse.setEnabled(self._ways["file"].isChecked())
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(bool(names))
        sample = tr(", ").join(names[:6])
        told = tr("{names}, …", names=sample) if len(names) > 6 else sample
        if names and count and len(names) < count:
            more = tr_count("{count} class has no name then.", "{count} classes have no name then.", count - len(names))
            told = f"{told}\n{more}"
        self._sample.setText(told)

    def _way(self, name: str, text: str) -> QRadioButton:
        button = QRadioButton(text)
        button.setObjectName(name)
        button.setAccessibleName(text)
        self._group.addButton(button)
        return button

    def _lay_out(self) -> None:
        count, model = self._wanted.count, self._wanted.model
        asked = tr_count(
            "{model} finds {count} class and does not say what it is called.",
            "{model} finds {count} classes and does not say what they are called.",
            count,
            model=model,
        )
        question = QLabel(asked if count else tr("{model} does not say what its classes are called.", model=model))
        question.setWordWrap(True)
        self._browse.setObjectName("namesBrowse")
        self._browse.setAutoDefault(False)
        self._browse.clicked.connect(self._ask_file)
        self._problem.setObjectName("namesProblem")
        self._problem.setProperty("danger", True)
        self._problem.setWordWrap(True)
        self._sample.setObjectName("namesSample")
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("Use these names"))
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(question)
        for key, button in self._ways.items():
            column.addLayout(self._file_row(button)) if key == "file" else column.addWidget(button)
        for widget in (self._problem, self._sample):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self._buttons)
        self.setMinimumWidth(_WIDTH)

    def _file_row(self, button: QRadioButton) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(button)
        row.addWidget(self._file, 1)
        row.addWidget(self._browse)
        return row
