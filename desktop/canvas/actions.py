"""Actions of the canvas: zooming."""

from __future__ import annotations

from collections.abc import Callable

from desktop.canvas.view import ImageView
from desktop.style.actions import ActionSpec, Group
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
