"""The left panel: open something, and the images that were opened together."""

from __future__ import annotations

from PyQt5.QtCore import QItemSelectionModel, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLineEdit, QListView, QToolButton, QVBoxLayout, QWidget

from desktop.i18n import tr, tr_count
from desktop.icons import icon
from desktop.panels.parts import hint_label, menu_of
from desktop.panels.source_rows import SourceRows
from desktop.theme import GRID
from desktop.viewer_state import ViewerState


class SourcePanel(QWidget):
    """Where images come from.

    Signals:
        text_entered(str): A path, URL, data URI or base64 text.
        source_chosen(int): A place in the list.
    """

    text_entered = pyqtSignal(str)
    source_chosen = pyqtSignal(int)

    def __init__(self, open_actions: list[QAction], paste: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sources: object = ()
        self._at: int | None = None
        self.edit = self._make_edit()
        self._rows = SourceRows()
        self.list = self._make_list()
        self._count = hint_label("")
        self._hint = hint_label(tr("Drop images or a folder anywhere in this window."))
        buttons = QHBoxLayout()
        buttons.addWidget(_open_button(open_actions), 1)
        buttons.addWidget(_paste_button(paste), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.edit)
        layout.addLayout(buttons)
        layout.addWidget(self._hint)
        layout.addWidget(self.list, 1)
        layout.addWidget(self._count, 0, Qt.AlignmentFlag.AlignBottom)

    def show_state(self, state: ViewerState) -> None:
        """Show the list and which of it is on the canvas."""
        if state.sources is self._sources and state.at == self._at:
            return
        selection = self.list.selectionModel()
        assert selection is not None
        with QSignalBlocker(selection):
            if state.sources is not self._sources:
                self._show_sources(state)
            at = self._rows.index(-1 if state.at is None else state.at)
            if state.at is None:
                selection.clear()
            elif not (selection.isSelected(at) and selection.currentIndex() == at):
                selection.setCurrentIndex(at, QItemSelectionModel.SelectionFlag.ClearAndSelect)
                self.list.scrollTo(at)
        self._at = state.at
        self.list.viewport().update()

    def _show_sources(self, state: ViewerState) -> None:
        self._sources = state.sources
        self._rows.show_sources(state.sources)
        count = len(state.sources)
        self._count.setText(tr_count("{count} image", "{count} images", count) if count else "")
        self._hint.setVisible(not count)
        self.list.setVisible(bool(count))

    def _make_edit(self) -> QLineEdit:
        edit = QLineEdit()
        edit.setObjectName("sourceEdit")
        edit.setAccessibleName(tr("Image address"))
        edit.setPlaceholderText(tr("URL or path"))
        edit.setToolTip(tr("A file, a folder, a URL, a data: URI or base64 text; Enter opens it  (Ctrl+L)"))
        edit.setClearButtonEnabled(True)
        edit.setMaxLength(64 * 1024 * 1024)
        edit.returnPressed.connect(self._on_entered)
        return edit

    def _make_list(self) -> QListView:
        view = QListView()
        view.setObjectName("sourceList")
        view.setAccessibleName(tr("Images"))
        view.setModel(self._rows)
        view.setUniformItemSizes(True)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        selection = view.selectionModel()
        assert selection is not None
        selection.currentChanged.connect(lambda current, _: self.source_chosen.emit(current.row()))
        return view

    def _on_entered(self) -> None:
        text = self.edit.text().strip()
        if text:
            self.text_entered.emit(text)


def _open_button(actions: list[QAction]) -> QToolButton:
    button = QToolButton()
    button.setObjectName("openButton")
    button.setAccessibleName(tr("Open"))
    button.setText(tr("Open"))
    button.setIcon(icon("folder-open"))
    button.setToolTip(tr("Open images or a folder  (Ctrl+O)"))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
    button.setIconSize(QSize(16, 16))
    button.setMenu(menu_of(actions, button))
    button.clicked.connect(actions[0].trigger)
    _fill_width(button)
    return button


def _paste_button(paste: QAction) -> QToolButton:
    button = QToolButton()
    button.setObjectName("pasteButton")
    button.setAccessibleName(tr("Paste"))
    button.setText(tr("Paste"))
    button.setIcon(icon("clipboard-paste"))
    button.setToolTip(tr("Paste an image, a file, a URL or base64 text  (Ctrl+V)"))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setIconSize(QSize(16, 16))
    button.clicked.connect(paste.trigger)
    _fill_width(button)
    return button


def _fill_width(button: QToolButton) -> None:
    policy = button.sizePolicy()
    policy.setHorizontalPolicy(policy.Policy.Expanding)
    button.setSizePolicy(policy)
