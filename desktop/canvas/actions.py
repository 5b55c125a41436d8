"""Actions of the canvas: zooming, moving and resizing boxes by key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop.canvas.view import ImageView
from desktop.style.actions import ActionSpec, Group, key_action
from desktop.style.i18n import tr

_Row = tuple[str, str, tuple[str, ...], Callable[[], object], str]
"""Name, text, keys, what to call, icon."""


def zoom_actions(view: ImageView) -> tuple[ActionSpec, ...]:
    """Declare the actions that zoom."""
    rows: tuple[_Row, ...] = (
        ("zoomIn", tr("Zoom in"), ("Ctrl++", "Ctrl+="), view.zoom_in, "zoom-in"),
        ("zoomOut", tr("Zoom out"), ("Ctrl+-",), view.zoom_out, "zoom-out"),
        ("zoomFull", tr("Zoom to 100 %"), ("Ctrl+0",), lambda: view.set_zoom(1.0), ""),
        ("fit", tr("Fit the window"), ("Ctrl+F",), view.fit, "maximize"),
        ("fitWidth", tr("Fit the width"), ("Ctrl+Shift+F",), view.fit_width, ""),
    )
    return tuple(ActionSpec(*row, group=Group.VIEW) for row in rows)


def nudge_actions(view: ImageView) -> tuple[ActionSpec, ...]:
    """Declare the actions that move boxes by a pixel, with Shift by ten, and resize them with Alt."""
    directions = {
        "Left": (tr("left"), -1, 0),
        "Right": (tr("right"), 1, 0),
        "Up": (tr("up"), 0, -1),
        "Down": (tr("down"), 0, 1),
    }
    kinds = (
        ("", tr("Move the selected boxes"), 1, False),
        ("Shift+", tr("Move them by 10 pixels"), 10, False),
        ("Alt+", tr("Resize the selected boxes"), 1, True),
    )
    return tuple(
        key_action(
            f"nudge{prefix}{key}",
            tr("{action} ({direction})", action=text, direction=direction),
            f"{prefix}{key}",
            partial(view.nudge, x * pixels, y * pixels, resize),
            Group.DECIDING,
        )
        for prefix, text, pixels, resize in kinds
        for key, (direction, x, y) in directions.items()
    )
