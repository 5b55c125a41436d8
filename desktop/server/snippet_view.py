"""The view of example requests to the window's server, for curl and Python."""

from __future__ import annotations

from dataclasses import replace

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QTextOption
from PyQt5.QtWidgets import QButtonGroup, QHBoxLayout, QPlainTextEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from desktop.server.snippets import MASK, ExampleRequest, curl_snippet, python_snippet
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.theme import GRID, code_font

_MOST_LINES = 8


class SnippetView(QWidget):
    """Shows one of the snippets with the key masked; copying it copies the key too.

    Signals:
        copy_asked(str): The snippet is to be copied.
    """

    copy_asked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._request: ExampleRequest | None = None
        self._languages = {"curl": curl_snippet, "Python": python_snippet}
        self._group = QButtonGroup(self)
        self.view = self._make_view()
        copy = QPushButton(icon("copy"), tr("Copy"))
        copy.setObjectName("copySnippet")
        copy.setAccessibleName(tr("Copy the snippet"))
        copy.setToolTip(tr("Copy the snippet"))
        copy.clicked.connect(lambda: self.copy_asked.emit(self.text()))
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        for name in self._languages:
            row.addWidget(self._make_choice(name))
        row.addStretch(1)
        row.addWidget(copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(row)
        layout.addWidget(self.view)

    def show_request(self, request: ExampleRequest | None) -> None:
        """Show snippets for this request."""
        if request != self._request:
            self._request = request
            self._show()

    def text(self) -> str:
        """Return the snippet with the key."""
        return "" if self._request is None else self._languages[self._language](self._request)

    @property
    def _language(self) -> str:
        checked = self._group.checkedButton()
        return "curl" if checked is None else checked.text()

    def _show(self) -> None:
        if self._request is not None:
            masked = replace(self._request, key=MASK if self._request.key else "")
            self.view.setPlainText(self._languages[self._language](masked))
            lines = min(self.view.blockCount() + 2, _MOST_LINES)
            self.view.setFixedHeight(lines * self.view.fontMetrics().lineSpacing() + 2 * GRID)

    def _make_choice(self, name: str) -> QToolButton:
        choice = QToolButton()
        choice.setText(name)
        choice.setObjectName(f"{name.lower()}Snippet")
        choice.setAccessibleName(tr("Show the snippet for {language}", language=name))
        choice.setCheckable(True)
        choice.setChecked(name == "curl")
        choice.clicked.connect(self._show)
        self._group.addButton(choice)
        return choice

    def _make_view(self) -> QPlainTextEdit:
        view = QPlainTextEdit()
        view.setObjectName("snippetView")
        view.setAccessibleName(tr("Example request"))
        view.setReadOnly(True)
        view.setUndoRedoEnabled(False)
        view.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        view.setFont(code_font())
        return view
