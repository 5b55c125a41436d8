"""The list of keys that F1 shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from desktop.actions import ActionSpec
from desktop.i18n import tr
from desktop.theme import GRID, current_theme


def show_key_list(specs: Sequence[ActionSpec], parent: QWidget) -> None:
    """Open a dialog with every action and its keys."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(tr("Keys"))
    page = QTextBrowser()
    page.setAccessibleName(tr("Keys"))
    page.setHtml(_table(specs))
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
    layout.addWidget(page)
    layout.addWidget(buttons)
    dialog.resize(64 * GRID, 72 * GRID)
    dialog.exec()


def _table(specs: Sequence[ActionSpec]) -> str:
    rows = "".join(f"<tr><td>{_keys(spec)}</td><td>{escape(spec.text)}</td></tr>" for spec in specs if spec.keys)
    note = tr("Keys without Ctrl act while the image, the list of images or the table has the focus.")
    return f"<table cellpadding='4'>{rows}</table><p style='color:{current_theme().text_muted}'>{escape(note)}</p>"


def _keys(spec: ActionSpec) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return " &nbsp;".join(f"<b>{escape(QKeySequence(key).toString(native))}</b>" for key in spec.keys)
