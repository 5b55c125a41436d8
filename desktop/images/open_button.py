"""The button that opens files; its menu has the other ways to open something."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import QAction, QSizePolicy, QToolButton, QWidget

from desktop.images.recent import RecentEntry
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import menu_of
from desktop.style.theme import GRID

_WIDEST_NAME, _WIDEST_PLACE = 30 * GRID, 40 * GRID


class OpenButton(QToolButton):
    """A click opens files.

    Signals:
        open_again(str): A recently opened path or URL was chosen.
    """

    open_again = pyqtSignal(str)

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("openButton")
        self.setAccessibleName(tr("Open"))
        self.setText(tr("Open"))
        self.setIcon(icon("folder-open"))
        self.setToolTip(tr("Open images or a folder  (Ctrl+O)"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setIconSize(QSize(16, 16))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._menu = menu_of(actions, self)
        self._menu.setObjectName("openMenu")
        self._recent: list[QAction] = []
        self.setMenu(self._menu)
        self.clicked.connect(actions[0].trigger)

    def show_recent(self, entries: Sequence[RecentEntry]) -> None:
        """List recently opened places; those that do not exist any more are disabled."""
        for action in self._recent:
            self._menu.removeAction(action)
            action.deleteLater()
        self._recent = []
        if entries:
            self._recent = [self._menu.addSeparator(), self._menu.addAction(tr("Open again"))]
            self._recent[1].setEnabled(False)
        self._recent += [self._action(entry) for entry in entries]

    def _action(self, entry: RecentEntry) -> QAction:
        metrics = QFontMetrics(self._menu.font())
        name = metrics.elidedText(entry.name, Qt.TextElideMode.ElideMiddle, _WIDEST_NAME)
        place = metrics.elidedText(entry.place, Qt.TextElideMode.ElideMiddle, _WIDEST_PLACE)
        action = QAction(f"{name}\t{place}".replace("&", "&&"), self._menu)
        action.setIcon(icon("folder-open" if entry.is_folder else "image"))
        action.setEnabled(entry.is_there)
        action.triggered.connect(lambda: self.open_again.emit(entry.text))
        self._menu.addAction(action)
        return action
