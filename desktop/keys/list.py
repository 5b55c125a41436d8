"""The dialog of all actions and their keys, where keys are searched and changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop.keys.editor import KeyEditor
from desktop.keys.map import given, remapped, shown, usual_again
from desktop.state.preferences import Preferences
from desktop.style.actions import ActionSpec, Group
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import hint_label, push_button
from desktop.style.theme import GRID

_NAME = Qt.ItemDataRole.UserRole
_SIZE = QSize(72 * GRID, 80 * GRID)
_ROW_HEIGHT = 4 * GRID


class KeyList(QDialog):
    """Lists the actions with their keys.

    Attributes:
        search: Filters the actions by words of their text, or by a key.
        tree: The actions by group.
        editor: Changes the keys of the chosen action.

    Signals:
        keys_changed(Mapping[str, tuple[str, ...]]): The keys that the user gave actions, by the action's name.
    """

    keys_changed = pyqtSignal(object)

    def __init__(self, specs: Sequence[ActionSpec], preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("keyList")
        self.setWindowTitle(tr("Keys"))
        self.setAccessibleName(tr("Keys"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._usual = tuple(specs)
        self._keys: Mapping[str, tuple[str, ...]] = preferences.keys
        self._rows: dict[str, QTreeWidgetItem] = {}
        self.search, self.tree, self.editor = self._make_search(), _ActionTree(), KeyEditor()
        self._buttons = self._make_buttons()
        self._fill()
        self._lay_out()
        self._wire()
        self.show_preferences(preferences)
        self.search.setFocus()

    @property
    def chosen_name(self) -> str:
        """The name of the chosen action; empty for none."""
        item = self.tree.currentItem()
        return "" if item is None else str(item.data(0, _NAME) or "")

    def choose(self, name: str) -> None:
        """Choose an action."""
        self.tree.setCurrentItem(self._rows[name])

    def _make_search(self) -> QLineEdit:
        search = QLineEdit()
        search.setObjectName("keySearch")
        search.setAccessibleName(tr("Find an action or a key"))
        search.setPlaceholderText(tr("Find an action or a key"))
        search.addAction(icon("search", "text_muted"), QLineEdit.ActionPosition.LeadingPosition)
        search.setClearButtonEnabled(True)
        return search

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        all_usual = push_button("allUsualKeys", tr("All usual keys"))
        all_usual.clicked.connect(lambda: self.keys_changed.emit({}))
        buttons.addButton(all_usual, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.rejected.connect(self.reject)
        return buttons

    def _fill(self) -> None:
        for group in Group:
            members = [spec for spec in self._usual if spec.group == group]
            if members:
                heading = self.tree.add_heading(group_title(group))
                for spec in members:
                    self._rows[spec.name] = item = QTreeWidgetItem(heading, [spec.text, ""])
                    item.setData(0, _NAME, spec.name)
        self.tree.expandAll()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        note = hint_label(tr("Keys without Ctrl act while the image, the list of images or the table has the focus."))
        for widget in (self.search, self.tree, note, self.editor, self._buttons):
            layout.addWidget(widget)
        layout.setStretchFactor(self.tree, 1)
        self.resize(_SIZE)

    def _wire(self) -> None:
        self.search.textChanged.connect(self._find)
        self.tree.currentItemChanged.connect(self._show_chosen)
        self.tree.itemActivated.connect(self._edit)
        self.editor.key_given.connect(self._give)
        self.editor.usual_asked.connect(self._usual_again)

    def show_preferences(self, preferences: Preferences) -> None:
        """Show these keys; those that the user chose are bold."""
        self._keys = preferences.keys
        self._now = {spec.name: spec for spec in remapped(self._usual, preferences.keys)}
        for name, item in self._rows.items():
            item.setText(1, shown(self._now[name].keys))
            font = self.font()
            font.setBold(name in preferences.keys)
            item.setFont(1, font)
        self._show_chosen()

    def _show_chosen(self) -> None:
        spec = self._now.get(self.chosen_name)
        self.editor.show_action(spec, tuple(self._now.values()), self.chosen_name in self._keys)

    def _edit(self) -> None:
        if self.chosen_name:
            self.editor.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _give(self, keys: tuple[str, ...]) -> None:
        self.keys_changed.emit(given(self._usual, self._keys, self.chosen_name, keys))

    def _usual_again(self) -> None:
        self.keys_changed.emit(usual_again(self._usual, self._keys, self.chosen_name))

    def _find(self, words: str) -> None:
        """Show the actions whose text or keys contain every word."""
        sought = words.casefold().split()
        for name, item in self._rows.items():
            text = f"{item.text(0)} {item.text(1)} {' '.join(self._now[name].keys)}".casefold()
            item.setHidden(not all(word in text for word in sought))
        self.tree.hide_empty_headings()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move from the search field into the list on Down."""
        if event.key() == Qt.Key.Key_Down and self.search.hasFocus():
            self.tree.choose_first()
        else:
            super().keyPressEvent(event)


def group_title(group: Group) -> str:
    """Return the heading of a group."""
    return {
        Group.FILES: tr("Files"),
        Group.IMAGE: tr("Image"),
        Group.BOXES: tr("Boxes"),
        Group.DECIDING: tr("Deciding"),
        Group.VIEW: tr("View"),
        Group.WINDOW: tr("Window"),
    }[group]


class _ActionTree(QTreeWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("actionTree")
        self.setAccessibleName(tr("Actions and their keys"))
        self.setHeaderLabels([tr("Action"), tr("Keys")])
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        self.setTabKeyNavigation(False)
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)

    def add_heading(self, title: str) -> QTreeWidgetItem:
        """Add a heading, which cannot be chosen."""
        heading = QTreeWidgetItem(self, [title, ""])
        heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
        heading.setFirstColumnSpanned(True)
        heading.setSizeHint(0, QSize(0, _ROW_HEIGHT))
        font = self.font()
        font.setBold(True)
        heading.setFont(0, font)
        return heading

    def hide_empty_headings(self) -> None:
        """Hide headings without visible actions."""
        for heading in map(self.topLevelItem, range(self.topLevelItemCount())):
            if heading is not None:
                heading.setHidden(not _visible(heading))

    def choose_first(self) -> None:
        """Choose the first visible action."""
        headings = map(self.topLevelItem, range(self.topLevelItemCount()))
        left = [item for heading in headings if heading is not None for item in _visible(heading)]
        if left:
            self.setCurrentItem(left[0])
            self.setFocus(Qt.FocusReason.TabFocusReason)


def _visible(heading: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    items = map(heading.child, range(heading.childCount()))
    return [item for item in items if item is not None and not item.isHidden()]
