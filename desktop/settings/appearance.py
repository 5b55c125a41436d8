"""Applying the preferred language and colours."""

from __future__ import annotations

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import QApplication

from desktop.settings.preferences import PreferenceStore
from desktop.state.preferences import Preferences
from desktop.style.i18n import install_language
from desktop.style.theme import Scheme, apply_theme, current_theme, reported_scheme, system_scheme
from desktop.work.task_runner import TaskRunner


class Appearance(QObject):
    """Follows the preferences; the desktop's colour scheme is read again when the window is activated.

    Signals:
        language_changed: `tr` returns another language; emitted from the event loop, so that widgets can be deleted.
    """

    language_changed = pyqtSignal()

    def __init__(self, app: QApplication, store: PreferenceStore) -> None:
        super().__init__(store)
        self._app, self._store = app, store
        self._language = store.value.language
        self._tasks = TaskRunner("color scheme", self)
        install_language(self._language or None)
        apply_theme(app, self._scheme())
        store.changed.connect(self._on_changed)
        app.applicationStateChanged.connect(self._on_activity)

    def _scheme(self) -> Scheme:
        preferred = self._store.value.scheme
        return system_scheme(self._app) if preferred == "system" else preferred

    def _on_changed(self, preferences: Preferences) -> None:
        if preferences.language != self._language:
            self._language = preferences.language
            install_language(self._language or None)
            QTimer.singleShot(0, self.language_changed.emit)
        self._show(self._scheme())

    def _on_activity(self, activity: Qt.ApplicationState) -> None:
        if activity == Qt.ApplicationState.ApplicationActive and self._store.value.scheme == "system":
            self._tasks.run(lambda task: reported_scheme(), self._on_told)

    def _on_told(self, told: Scheme | None) -> None:
        if told is not None and self._store.value.scheme == "system":
            self._show(told)

    def _show(self, scheme: Scheme) -> None:
        if scheme != current_theme().scheme:
            apply_theme(self._app, scheme)
