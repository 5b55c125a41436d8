"""The second tab on the right: the API's answer for the shown image."""

from __future__ import annotations

from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import hint_label
from desktop.style.theme import GRID, code_font
from engine.answer import detection_answer, to_json
from engine.detect.detection import Detections, Filter

_LATER_MS = 300


class JsonPanel(QWidget):
    """Shows what `POST /v1/vision/detections` answers for this image, model, threshold and top_k.

    Signals:
        copy_asked: The button.
    """

    copy_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = _AnswerView()
        self.view.setObjectName("jsonView")
        self.view.setAccessibleName(tr("JSON of the detections"))
        self.view.setReadOnly(True)
        self.view.setUndoRedoEnabled(False)
        self.view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.view.setFont(code_font())
        self.view.setPlaceholderText(tr("Open an image to see its detections as JSON."))
        self._copy = QPushButton(icon("copy"), tr("Copy JSON"))
        self._copy.setToolTip(tr("Copy the JSON  (Ctrl+Shift+C)"))
        self._copy.clicked.connect(self.copy_asked)
        row = QHBoxLayout()
        row.addWidget(hint_label(tr("The answer of POST /v1/vision/detections")), 1)
        row.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        self._difference = hint_label(
            tr("The server ignores decisions, hidden classes, class thresholds and suppression.")
        )
        self._difference.setObjectName("jsonDifference")
        self._difference.hide()
        layout.addLayout(row)
        layout.addWidget(self._difference)
        layout.addWidget(self.view, 1)

    def show_state(self, state: ViewerState) -> None:
        """Show the JSON of the detections and the filter, and whether the window shows others."""
        differs = state.refinement.is_active or bool(state.decided.decisions)
        self._difference.setVisible(differs and state.detections is not None)
        self._copy.setEnabled(state.detections is not None)
        self.view.show_answer(state.detections, state.chosen)


class _AnswerView(QPlainTextEdit):
    """Formats the answer only when it is visible or read, so that sliders do not wait for a hidden tab."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: tuple[Detections | None, Filter | None] = (None, None)
        self._written: tuple[Detections | None, Filter | None] = (None, None)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_LATER_MS)
        self._later.timeout.connect(self._write)

    def show_answer(self, found: Detections | None, chosen: Filter) -> None:
        """Show the answer, at once or when the view becomes visible."""
        self._wanted = (found, chosen)
        if self.isVisible():
            self._write()
        elif self._wanted != self._written:
            self._later.start()

    def toPlainText(self) -> str:
        self._write()
        return super().toPlainText()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._write()

    def _write(self) -> None:
        found, chosen = self._wanted
        if self._written != self._wanted:
            self._written = self._wanted
            self.setPlainText(
                to_json(detection_answer(found, chosen)) if found is not None and chosen is not None else ""
            )
