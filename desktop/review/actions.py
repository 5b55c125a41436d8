"""Actions that decide about boxes and images."""

from __future__ import annotations

from desktop.canvas.view import ImageView
from desktop.review.labelling import Labelling
from desktop.review.reviewing import Reviewing
from desktop.state.viewer import ViewerState
from desktop.style.actions import ActionSpec, Group, key_action
from desktop.style.i18n import tr

_GROUP = Group.DECIDING


def decision_actions(reviewing: Reviewing, labelling: Labelling, view: ImageView) -> tuple[ActionSpec, ...]:
    """Declare the actions that decide."""
    do = reviewing
    accept_all = tr("Accept all that is shown, image reviewed, go on")
    return (
        key_action("acceptAll", accept_all, "Space", do.accept_all_and_go_on, _GROUP),
        ActionSpec("accept", tr("Accept"), ("Return", "Enter"), do.accept, "check", True, _GROUP),
        ActionSpec("reject", tr("Reject; delete an added box"), ("X", "Del"), do.reject, "x", True, _GROUP),
        key_action("forget", tr("Take the decision back"), "Backspace", do.forget, _GROUP),
        ActionSpec("relabel", tr("Relabel…"), ("Ctrl+E",), labelling.relabel_selected, "pencil", group=_GROUP),
        key_action("draw", tr("Draw a missing box"), "N", view.start_drawing, _GROUP),
        key_action("toggleReviewed", tr("Image reviewed, or not"), "R", do.toggle_reviewed, _GROUP),
        ActionSpec("undo", tr("Undo"), ("Ctrl+Z",), do.undo, "rotate-ccw", False, _GROUP, _can_undo),
        ActionSpec("redo", tr("Redo"), ("Ctrl+Shift+Z", "Ctrl+Y"), do.redo, "", False, _GROUP, _can_redo),
    )


def _can_undo(state: ViewerState) -> bool:
    return bool(state.session.undo)


def _can_redo(state: ViewerState) -> bool:
    return bool(state.session.redo)
