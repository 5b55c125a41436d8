"""The row of the key list that changes an action's keys."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.keys.field import KeyField
from desktop.keys.map import acts_on_image_only, user_of
from desktop.style.actions import ActionSpec
from desktop.style.i18n import tr
from desktop.style.parts import hint_label, push_button
from desktop.style.theme import GRID

_NOTE_HEIGHT = 3 * GRID
"""Kept free, so that nothing moves when there is something to say."""


class KeyEditor(QWidget):
    """Takes a pressed key, and says which action has it already.

    Attributes:
        field: Takes the key.
        note: Says what the key does now and what it would do.

    Signals:
        key_given(tuple[str, ...]): All keys of the action from now on.
        usual_asked: The action is to get its default keys.
    """

    key_given = pyqtSignal(object)
    usual_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("keyEditor")
        self._spec: ActionSpec | None = None
        self._all: Sequence[ActionSpec] = ()
        self._title = QLabel()
        self._title.setObjectName("keyEditorTitle")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self.field, self.note = KeyField(), hint_label("")
        self.field.setObjectName("keyField")
        self.field.setMinimumWidth(14 * GRID)
        self.field.setAccessibleName(tr("Press a key here"))
        self.field.pressed.connect(self._show_key)
        self.note.setObjectName("keyNote")
        self.note.setMinimumHeight(_NOTE_HEIGHT)
        self._use = push_button("useKey", tr("Use this key"))
        self._add = push_button("addKey", tr("Add this key"))
        self._usual = push_button("usualKeys", tr("Usual keys"))
        self._use.clicked.connect(lambda: self.key_given.emit((self.field.key,)))
        self._add.clicked.connect(self._add_key)
        self._usual.clicked.connect(self.usual_asked)
        self._lay_out()

    def show_action(self, spec: ActionSpec | None, specs: Sequence[ActionSpec], is_changed: bool) -> None:
        """Edit the keys of this action; `None` disables the editor.

        Args:
            spec: The action with its present keys.
            specs: Every action with its present keys.
            is_changed: Whether the user changed its keys.
        """
        self._spec, self._all = spec, specs
        self._title.setText(tr("Choose an action to change its keys.") if spec is None else spec.text)
        self._usual.setEnabled(is_changed)
        self.field.setEnabled(spec is not None)
        self.field.show_key("")
        self._show_key("")

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.field, 1)
        for button in (self._use, self._add, self._usual):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._title)
        layout.addLayout(row)
        layout.addWidget(self.note)

    def _show_key(self, key: str) -> None:
        """Show what the key does now and what it would do."""
        spec = self._spec
        usable = spec is not None and bool(key) and key not in spec.keys
        self._use.setEnabled(usable)
        self._add.setEnabled(usable)
        self.note.setText(_meaning(key, spec, self._all) if spec is not None and key else "")
        taken = spec is not None and bool(key) and user_of(key, self._all, beside=spec.name) is not None
        self._use.setText(tr("Take it over") if taken else tr("Use this key"))

    def _add_key(self) -> None:
        if self._spec is not None:
            self.key_given.emit((*self._spec.keys, self.field.key))


def _meaning(key: str, spec: ActionSpec, specs: Sequence[ActionSpec]) -> str:
    user = user_of(key, specs, beside=spec.name)
    if user is not None:
        return tr("Already used by “{action}”. Take it over?", action=user.text)
    if key in spec.keys:
        return tr("It has this key already.")
    if acts_on_image_only(key) and not spec.on_image:
        return tr("This key acts only while the image, the list of images or the table has the focus.")
    return ""
