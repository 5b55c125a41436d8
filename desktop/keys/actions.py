"""What the user can do from keyboard and menus, as data: name, text, keys. Keys follow labelme where it has one."""

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
    """What an action is about; the list of keys is in this order."""

    FILES = auto()
    IMAGE = auto()
    BOXES = auto()
    DECIDING = auto()
    VIEW = auto()
    WINDOW = auto()


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
        group: Where the list of keys has it.
        enabled: Whether it can be done in this state; `None` where it always can.
    """

    name: str
    text: str
    keys: tuple[str, ...]
    do: Callable[[], object]
    icon: str = ""
    on_image: bool = False
    group: Group = Group.WINDOW
    enabled: Callable[[ViewerState], bool] | None = None


def make_action(spec: ActionSpec, parent: QObject) -> QAction:
    """The action; it acts once it is added to a widget."""
    action = QAction(spec.text, parent)
    action.setObjectName(spec.name)
    action.triggered.connect(lambda _checked: spec.do())
    if spec.icon:
        action.setIcon(icon(spec.icon))
    set_keys(action, spec)
    return action


def set_keys(action: QAction, spec: ActionSpec) -> None:
    """Give an action the keys of `spec`, in place of those it has."""
    action.setShortcuts([QKeySequence(key) for key in spec.keys])
    context = Qt.ShortcutContext.WidgetShortcut if spec.on_image else Qt.ShortcutContext.WindowShortcut
    action.setShortcutContext(context)


def enable(actions: Mapping[str, QAction], specs: Iterable[ActionSpec], state: ViewerState) -> None:
    """Let only those be chosen that can be done in this state."""
    for spec in specs:
        if spec.enabled is not None:
            actions[spec.name].setEnabled(spec.enabled(state))
