"""The export dialog: format, images, boxes, target, progress, summary."""

from __future__ import annotations

import contextlib
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QCloseEvent
from PyQt5.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop.export.exporter import ExportRequest, Scope
from desktop.export.words import replacing_text, summary_text
from desktop.style.i18n import error_text, tr, tr_count
from desktop.style.parts import hint_label
from desktop.style.theme import GRID
from engine.errors import EngineError
from engine.export.format import ExportFormat, FilePerImage
from engine.export.formats import EXPORT_FORMATS, FORMATS
from engine.export.item import Choice
from engine.export.job import ExportSummary

_LABEL_DROP = GRID * 3 // 4
"""A label of the form stands this much lower than its row begins."""


class ExportDialog(QDialog):
    """Stays open while the export runs; closing it does not cancel the export.

    Signals:
        asked(ExportRequest): The export button.
        cancel_asked: The cancel button, while an export runs.
    """

    asked = pyqtSignal(object)
    cancel_asked = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("exportDialog")
        self.setWindowTitle(tr("Export"))
        self._folder, self._stem = Path.home(), "image"
        self._touched = False
        self._formats = self._make_formats()
        self._scopes = self._make_choices(
            "exportScope", {Scope.IMAGE: tr("This image"), Scope.SELECTION: "", Scope.SESSION: ""}
        )
        self._choices = self._make_choices(
            "exportChoice", {Choice.SHOWN: tr("All that is shown"), Choice.REVIEWED: tr("What was accepted or added")}
        )
        self._target = self._make_target()
        self._progress, self._told = QProgressBar(), hint_label("")
        self._export, self._stop = QPushButton(tr("Export")), QPushButton(tr("Cancel"))
        self._lay_out()
        self._show_running(False)

    def ask(self, folder: Path, stem: str, selected: int, total: int, has_reviewed: bool) -> None:
        """Open the dialog for an image and the list it is in.

        Args:
            folder: The suggested folder.
            stem: The file name of the shown image without its suffix.
            selected, total: How many images are selected in the list, and how many there are.
            has_reviewed: Whether any decision was made; then reviewed boxes are suggested.
        """
        self._folder, self._stem, self._touched = folder, stem, False
        counts = {Scope.SELECTION: selected, Scope.SESSION: total}
        texts = {
            Scope.SELECTION: tr_count("{count} selected image", "{count} selected images", selected),
            Scope.SESSION: tr_count("The session: {count} image", "The whole session: {count} images", total),
        }
        for scope, count in counts.items():
            button = self._scopes.button(list(Scope).index(scope))
            button.setText(texts[scope])
            button.setEnabled(count > 1)
            if count <= 1 and button.isChecked():
                self._scopes.button(0).setChecked(True)
        self._choices.button(list(Choice).index(Choice.REVIEWED)).setEnabled(has_reviewed)
        if not has_reviewed:
            self._choices.button(list(Choice).index(Choice.SHOWN)).setChecked(True)
        self._told.clear()
        self._suggest()
        self.show()
        self.activateWindow()
        self._target.setFocus()
        self._target.selectAll()

    def choose_format(self, key: str) -> None:
        """Select the format with this key, if there is one."""
        keys = [known.key for known in EXPORT_FORMATS]
        if key in keys:
            self._formats.setCurrentIndex(keys.index(key))

    def show_progress(self, done: int, total: int) -> None:
        """Show how many images are written."""
        self._progress.setRange(0, total)
        self._progress.setValue(done)

    def show_summary(self, summary: ExportSummary) -> None:
        """Show the result of the export."""
        self._show_running(False)
        self._told.setText(summary_text(summary))

    def show_error(self, error: EngineError) -> None:
        """Show why the export failed."""
        self._show_running(False)
        self._told.setText(error_text(error))

    def request(self) -> ExportRequest:
        """The request as chosen in the dialog."""
        return ExportRequest(self._format, self._scope, self._choice, self._path)

    def accept(self) -> None:
        """Start the export; the dialog stays open."""
        if not self._export.isEnabled() or not self._target.text().strip():
            return
        self._follow_ending()
        self._told.clear()
        self._show_running(True)
        self.asked.emit(self.request())

    def closeEvent(self, event: QCloseEvent) -> None:
        self._told.clear()
        super().closeEvent(event)

    @property
    def _format(self) -> ExportFormat:
        return EXPORT_FORMATS[self._formats.currentIndex()]

    @property
    def _scope(self) -> Scope:
        return list(Scope)[self._scopes.checkedId()]

    @property
    def _choice(self) -> Choice:
        return list(Choice)[self._choices.checkedId()]

    @property
    def _path(self) -> Path:
        """Return the typed path; a name without a folder is in the suggested one."""
        typed = Path(self._target.text().strip())
        with contextlib.suppress(RuntimeError):  # unknown user
            typed = typed.expanduser()
        return self._folder / typed

    @property
    def _fills_folder(self) -> bool:
        way = self._format.writer
        return not self._format.suffixes or (isinstance(way, FilePerImage) and self._scope is not Scope.IMAGE)

    def _suggest(self) -> None:
        """Suggest a name, unless the user typed one; a typed folder stays."""
        folder = self._folder
        if self._touched:
            typed = Path(self._target.text())
            folder = typed if not typed.suffix else typed.parent
        stem = self._stem if self._scope is Scope.IMAGE else folder.name or "session"
        ending = "" if self._fills_folder else self._format.suffixes[0]
        is_told_by_ending = isinstance(self._format.writer, FilePerImage) or ending == f".{self._format.key}"
        word = "detections" if ending and is_told_by_ending else self._format.key
        name = f"{stem}_{word}{ending}"
        if not self._touched:
            self._target.setText(str(folder / name))
        elif ending and Path(self._target.text()).suffix:
            self._target.setText(str(Path(self._target.text()).with_suffix(ending)))
        self._told.setText(replacing_text(self._path))

    def _follow_ending(self) -> None:
        """Select the format of the typed suffix, if it is one of a single image."""
        ending = Path(self._target.text()).suffix.lower()
        if self._scope is not Scope.IMAGE or ending in self._format.suffixes:
            return
        wanted = next((known for known in FORMATS if ending in known.suffixes), None)
        if wanted is not None:
            text = self._target.text()
            self._formats.setCurrentIndex(EXPORT_FORMATS.index(wanted))
            self._target.setText(text)

    def _browse(self) -> None:
        if self._fills_folder:
            name = QFileDialog.getExistingDirectory(self, tr("Export to a folder"), self._target.text())
        else:
            name, _ = QFileDialog.getSaveFileName(self, tr("Export"), self._target.text())
        if name:
            self._touched = True
            self._target.setText(name)
            self._told.setText(replacing_text(self._path))

    def _on_edited(self) -> None:
        self._touched = True
        self._told.setText(replacing_text(self._path))

    def _show_running(self, runs: bool) -> None:
        self._export.setEnabled(not runs)
        self._stop.setVisible(runs)
        self._progress.setVisible(runs)
        self._progress.setRange(0, 0)

    def _make_formats(self) -> QComboBox:
        box = QComboBox()
        box.setObjectName("exportFormat")
        box.setAccessibleName(tr("Format"))
        box.addItems([tr(known.name) for known in EXPORT_FORMATS])
        box.setMaxVisibleItems(len(EXPORT_FORMATS))
        box.currentIndexChanged.connect(lambda _: self._suggest())
        return box

    def _make_choices(self, name: str, texts: dict[Scope, str] | dict[Choice, str]) -> QButtonGroup:
        group = QButtonGroup(self)
        for key, text in texts.items():
            button = QRadioButton(text, self)
            button.setObjectName(f"{name}{key.name.capitalize()}")
            group.addButton(button, list(type(key)).index(key))
            button.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        group.buttonToggled.connect(_tab_to_checked)
        group.buttons()[0].setChecked(True)
        group.buttonClicked.connect(lambda _: self._suggest())
        return group

    def _make_target(self) -> QLineEdit:
        edit = QLineEdit()
        edit.setObjectName("exportTarget")
        edit.setAccessibleName(tr("Export to"))
        edit.setMinimumWidth(50 * GRID)
        edit.textEdited.connect(self._on_edited)
        return edit

    def _lay_out(self) -> None:
        browse = QPushButton(tr("Choose…"))
        browse.setObjectName("exportBrowse")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        target = QHBoxLayout()
        target.addWidget(self._target, 1)
        target.addWidget(browse)
        form = QFormLayout()
        form.setSpacing(GRID)
        form.addRow(tr("Format"), self._formats)
        form.addRow(tr("Images"), _column(self._scopes))
        form.addRow(tr("Boxes"), _column(self._choices))
        form.addRow(tr("Export to"), target)
        self._progress.setAccessibleName(tr("Progress"))
        self._told.setObjectName("exportSummary")
        self._export.setObjectName("exportNow")
        self._export.setProperty("primary", True)
        self._export.clicked.connect(self.accept)
        self._stop.setObjectName("exportCancel")
        self._stop.clicked.connect(self.cancel_asked)
        close = QPushButton(tr("Close"))
        close.setObjectName("exportClose")
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(self._progress, 1)
        buttons.addStretch(1)
        for button in (self._stop, close, self._export):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addLayout(form)
        layout.addWidget(self._told)
        layout.addLayout(buttons)
        self._stop.setAutoDefault(False)
        self._export.setDefault(True)


def _tab_to_checked(button: QAbstractButton, is_checked: bool) -> None:
    """Give the focus to the checked button on Tab; the arrow keys choose from there."""
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if is_checked else Qt.FocusPolicy.ClickFocus)


def _column(group: QButtonGroup) -> QWidget:
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, _LABEL_DROP, 0, _LABEL_DROP)
    layout.setSpacing(GRID // 2)
    for button in group.buttons():
        layout.addWidget(button)
    return column
