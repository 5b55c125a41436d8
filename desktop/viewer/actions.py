"""Actions on the images of the list and on the boxes of the shown one."""

from __future__ import annotations

from desktop.canvas.view import ImageView
from desktop.style.actions import ActionSpec, Group, key_action
from desktop.style.i18n import tr
from desktop.viewer.viewer import Viewer


def image_actions(viewer: Viewer, view: ImageView) -> tuple[ActionSpec, ...]:
    """Declare the actions that go through the images and detect in them."""
    browsing, reviewing = viewer.browsing, viewer.reviewing

    def cancel() -> None:
        """Cancel a mouse gesture, else deselect, else cancel what runs, else close the message."""
        if view.cancel_drawing():
            return
        if viewer.state.selected:
            viewer.choosing.select(frozenset())
        elif viewer.state.stage is not None:
            browsing.cancel()
        else:
            viewer.dismiss_message()

    return (
        key_action("nextImage", tr("Next image"), "D", lambda: browsing.go(1), Group.IMAGE),
        key_action("previousImage", tr("Previous image"), "A", lambda: browsing.go(-1), Group.IMAGE),
        key_action(
            "nextOpen", tr("Next image to review"), "Shift+D", lambda: reviewing.go_to_unreviewed(1), Group.IMAGE
        ),
        key_action(
            "previousOpen",
            tr("Previous image to review"),
            "Shift+A",
            lambda: reviewing.go_to_unreviewed(-1),
            Group.IMAGE,
        ),
        ActionSpec("detect", tr("Detect again"), ("F5",), browsing.detect_again, "play", group=Group.IMAGE),
        ActionSpec("detectAll", tr("Detect in all images"), ("Ctrl+F5",), viewer.detect_all, "play", group=Group.IMAGE),
        ActionSpec("cancel", tr("Deselect, else cancel what runs"), ("Esc",), cancel, "x", group=Group.IMAGE),
    )


def box_actions(viewer: Viewer, view: ImageView) -> tuple[ActionSpec, ...]:
    """Declare the actions that select boxes and choose which are shown."""
    choosing, go_to_least_sure = viewer.choosing, viewer.reviewing.go_to_least_sure

    def step(by: int) -> None:
        index = choosing.select_next(by)
        if index is not None:
            view.centre_on(index)

    def toggle() -> None:
        view.set_boxes_visible(not view.boxes_visible)

    return (
        key_action("nextBox", tr("Next box, by score"), "J", lambda: step(1), Group.BOXES),
        key_action("previousBox", tr("Previous box, by score"), "K", lambda: step(-1), Group.BOXES),
        key_action("boxBelow", tr("Next box under the pointer"), "O", view.next_under_pointer, Group.BOXES),
        key_action("leastSure", tr("Least sure box of all images"), "U", go_to_least_sure, Group.BOXES),
        key_action("selectAll", tr("Select all boxes"), "Ctrl+A", choosing.select_all, Group.BOXES),
        key_action("toggleBoxes", tr("Hide or show all boxes"), "T", toggle, Group.BOXES),
        key_action("thresholdDown", tr("Lower threshold"), "[", choosing.lower_threshold, Group.BOXES),
        key_action("thresholdUp", tr("Higher threshold"), "]", choosing.raise_threshold, Group.BOXES),
    )
