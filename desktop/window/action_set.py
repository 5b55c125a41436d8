"""All actions of the window: collected from the rooms, with the user's keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PyQt5.QtWidgets import QAction, QMainWindow, QWidget

from desktop.canvas.actions import nudge_actions, zoom_actions
from desktop.canvas.view import ImageView
from desktop.keys.map import remapped, shown
from desktop.review.actions import decision_actions
from desktop.review.labelling import Labelling
from desktop.state.preferences import Preferences
from desktop.state.viewer import ViewerState
from desktop.style.actions import ActionSpec, enable, make_action, set_keys
from desktop.viewer.actions import box_actions, image_actions
from desktop.viewer.viewer import Viewer


class ActionSet:
    """Declares the actions in the order of the list of keys and makes their QActions.

    Attributes:
        specs: The declarations.
        actions: The QActions, by name.
        key_texts: The first key of each action as this system writes it, by name.
    """

    def __init__(
        self,
        viewer: Viewer,
        view: ImageView,
        labelling: Labelling,
        files: Iterable[ActionSpec],
        window: Iterable[ActionSpec],
        parent: QMainWindow,
    ) -> None:
        """Make the actions.

        Args:
            viewer: What the user can do.
            view: The canvas.
            labelling: Asks for classes.
            files: Actions on files and the clipboard.
            window: Actions of the window itself.
            parent: The window.
        """
        self._nudges = nudge_actions(view)
        self._parent = parent
        self.specs: tuple[ActionSpec, ...] = (
            *files,
            *image_actions(viewer, view),
            *box_actions(viewer, view),
            *decision_actions(viewer.reviewing, labelling, view),
            *self._nudges,
            *zoom_actions(view),
            *window,
        )
        self.actions: dict[str, QAction] = {spec.name: make_action(spec, parent) for spec in self.specs}
        self.key_texts: dict[str, str] = {}

    def add_to(self, canvas: Iterable[QWidget], lists: Iterable[QWidget], did: Callable[[str], object]) -> None:
        """Let the keys act in the window and in widgets; arrow keys that nudge boxes do not act in lists.

        Args:
            canvas: Widgets in which all keys act.
            lists: Widgets in which all keys act but those that nudge.
            did: Called with the name of each action that is triggered.
        """
        nudges = {spec.name for spec in self._nudges}
        for name, action in self.actions.items():
            action.triggered.connect(lambda _checked, name=name: did(name))
            for widget in (self._parent, *canvas, *(() if name in nudges else lists)):
                widget.addAction(action)

    def use_keys(self, preferences: Preferences) -> None:
        """Give the actions the keys of the user."""
        for spec in remapped(self.specs, preferences.keys):
            set_keys(self.actions[spec.name], spec)
            self.key_texts[spec.name] = shown(spec.keys[:1])

    def show_state(self, state: ViewerState) -> None:
        """Enable the actions that are possible."""
        enable(self.actions, self.specs, state)

    def delete(self) -> None:
        """Remove the actions from the window and delete them."""
        for action in self.actions.values():
            self._parent.removeAction(action)
            action.deleteLater()
