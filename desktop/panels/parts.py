"""Small pieces that several panels use."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtWidgets import QAction, QLabel, QMenu, QWidget


def hint_label(text: str) -> QLabel:
    """A line of small, quiet text that wraps."""
    label = QLabel(text)
    label.setProperty("hint", True)
    label.setWordWrap(True)
    return label


def menu_of(actions: Sequence[QAction | None], parent: QWidget) -> QMenu:
    """A menu of actions; `None` stands for a line between them."""
    menu = QMenu(parent)
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
    return menu
