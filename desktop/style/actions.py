"""Declarations of the user's actions: name, text, keys. Keys follow labelme where it has one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from PyQt5.QtCore import QObject, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction

from desktop.state.viewer import ViewerState
from desktop.style.icons import icon


class Group(Enum):
    """The subject of an action; the list of keys is in this order."""

    FILES = auto()
    IMAGE = auto()
    BOXES = auto()
    DECIDING = auto()
    VIEW = auto()
    WINDOW = auto()


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action of the user.

    Attributes:
        name: Of the QAction, e.g. `openFiles`.
        text: What menus and the list of keys call it, translated.
        keys: Key sequences, the usual one first.
        do: Called when the action is triggered.
        icon: Name of an icon, or empty.
        on_image: Whether its keys act only in the widgets that it is added to (canvas, list, table): window-wide, a
            letter would be taken from text fields.
        group: Its heading in the list of keys.
        enabled: Returns whether it is possible in a state; `None` where it always is.
    """

    name: str
    text: str
    keys: tuple[str, ...]
    do: Callable[[], object]
    icon: str = ""
    on_image: bool = False
    group: Group = Group.WINDOW
    enabled: Callable[[ViewerState], bool] | None = None


def key_action(name: str, text: str, key: str, do: Callable[[], object], group: Group) -> ActionSpec:
    """Declare an action whose key acts while canvas, list or table have the focus."""
    return ActionSpec(name, text, (key,), do, on_image=True, group=group)


def make_action(spec: ActionSpec, parent: QObject) -> QAction:
    """Return the QAction; its keys act once it is added to a widget."""
    action = QAction(spec.text, parent)
    action.setObjectName(spec.name)
    action.triggered.connect(lambda _checked: spec.do())
    if spec.icon:
        action.setIcon(icon(spec.icon))
    set_keys(action, spec)
    return action


def set_keys(action: QAction, spec: ActionSpec) -> None:
    """Replace the keys of an action by those of `spec`."""
    action.setShortcuts([QKeySequence(key) for key in spec.keys])
    context = Qt.ShortcutContext.WidgetShortcut if spec.on_image else Qt.ShortcutContext.WindowShortcut
    action.setShortcutContext(context)


def enable(actions: Mapping[str, QAction], specs: Iterable[ActionSpec], state: ViewerState) -> None:
    """Enable the actions that are possible in a state."""
    for spec in specs:
        if spec.enabled is not None:
            actions[spec.name].setEnabled(spec.enabled(state))
