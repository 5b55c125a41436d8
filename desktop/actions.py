"""What the user can do from keyboard and menus, as data: name, text, keys. Keys follow labelme where it has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtCore import QObject, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction

from desktop.icons import icon


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing the user can do.

    Attributes:
        name: Of the QAction, e.g. `openFiles`.
        text: What menus and the list of keys call it, translated.
        keys: Key sequences, the usual one first.
        do: What happens.
        icon: Name of an icon, or empty.
        on_image: Its keys act only in the widgets it is added to (canvas, list, table): window-wide a bare letter would
            be stolen from text fields.
    """

    name: str
    text: str
    keys: tuple[str, ...]
    do: Callable[[], object]
    icon: str = ""
    on_image: bool = False


def make_action(spec: ActionSpec, parent: QObject) -> QAction:
    """The action; it acts once it is added to a widget."""
    action = QAction(spec.text, parent)
    action.setObjectName(spec.name)
    action.setShortcuts([QKeySequence(key) for key in spec.keys])
    action.triggered.connect(lambda _checked: spec.do())
    if spec.icon:
        action.setIcon(icon(spec.icon))
    if spec.on_image:
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
    return action
