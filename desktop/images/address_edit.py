"""The text field for a URL or a path, with a history."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QStringListModel, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QCompleter, QLineEdit, QStyledItemDelegate, QWidget

from desktop.style.i18n import tr

_LONGEST = 64 * 1024 * 1024
_SHOWN_AT_ONCE = 10


class AddressEdit(QLineEdit):
    """Completes from the history while typing; Down shows all of it.

    Signals:
        text_entered(str): Return was pressed.
    """

    text_entered = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sourceEdit")
        self.setAccessibleName(tr("Image address"))
        self.setPlaceholderText(tr("URL or path"))
        self.setToolTip(tr("A file, a folder, a URL, a data: URI or base64 text; Enter opens it  (Ctrl+L)"))
        self.setClearButtonEnabled(True)
        self.setMaxLength(_LONGEST)
        self._former = QStringListModel(self)
        self._completer = self._make_completer()
        self.setCompleter(self._completer)
        self.returnPressed.connect(self._on_entered)

    def show_history(self, texts: Sequence[str]) -> None:
        """Complete from these texts, newest first."""
        self._former.setStringList(list(texts))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Show the whole history on Down."""
        if event.key() == Qt.Key.Key_Down and self._former.rowCount():
            self._completer.setCompletionPrefix("")
            self._completer.complete()
            event.accept()
        else:
            super().keyPressEvent(event)

    def _make_completer(self) -> QCompleter:
        completer = QCompleter(self._former, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setMaxVisibleItems(_SHOWN_AT_ONCE)
        popup = completer.popup()
        popup.setObjectName("sourceHistory")
        popup.setAccessibleName(tr("Opened before"))
        popup.setItemDelegate(QStyledItemDelegate(popup))
        popup.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        return completer

    def _on_entered(self) -> None:
        text = self.text().strip()
        if text:
            self.text_entered.emit(text)
