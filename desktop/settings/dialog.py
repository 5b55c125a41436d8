"""The settings dialog; changes apply at once."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import QApplication, QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from desktop.settings.page import SettingsPage
from desktop.settings.preferences import PreferenceStore
from desktop.state.preferences import Preferences
from desktop.style.i18n import tr
from desktop.style.theme import GRID

_WIDTH = 64 * GRID


class SettingsDialog(QDialog):
    """Not modal; its texts change as soon as another language is chosen.

    Attributes:
        page: The form, made anew for another language.

    Signals:
        keys_asked: The list of keys is to be shown.
    """

    keys_asked = pyqtSignal()

    def __init__(self, store: PreferenceStore, models: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settingsDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._store, self._models = store, tuple(models)
        self._language = store.value.language
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(3 * GRID, GRID, 3 * GRID, GRID)
        self._layout.setSpacing(GRID)
        self._layout.addStrut(_WIDTH - 6 * GRID)  # not a minimum width, which would overrule that of the page
        self._fill()
        store.changed.connect(self._on_changed)

    def _fill(self) -> None:
        self.setWindowTitle(tr("Settings"))
        self.setAccessibleName(tr("Settings"))
        self.page = SettingsPage(self._store, self._models)
        self.page.keys_asked.connect(self.keys_asked)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._buttons.rejected.connect(self.reject)
        close = self._buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setObjectName("closeSettings")
        close.setAutoDefault(False)
        self._layout.addWidget(self.page, 1)
        self._layout.addWidget(self._buttons)

    def _on_changed(self, preferences: Preferences) -> None:
        if preferences.language != self._language:
            self._language = preferences.language
            QTimer.singleShot(0, self._fill_again)

    def _fill_again(self) -> None:
        """Make the page anew in the new language; the focus stays."""
        focused = QApplication.focusWidget()
        name = focused.objectName() if focused is not None and self.isAncestorOf(focused) else ""
        for former in (self.page, self._buttons):
            self._layout.removeWidget(former)
            former.hide()
            former.deleteLater()
        self._fill()
        again = self.page.findChild(QWidget, name) if name else None
        if again is not None:
            again.setFocus()
