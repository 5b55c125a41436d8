"""Font sets that a layout must fit, and what of a widget's text has no room."""

from __future__ import annotations

import pytest
from PyQt5.QtGui import QFont, QFontDatabase
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QTableView,
    QTabWidget,
    QWidget,
)

from desktop.style import theme
from engine.paths import resource

FONT_SETS = ("bundled", "droid", "wide")
"""The bundled font alone; DejaVu and Droid Fallback as on a bare Debian; those of this machine, 15 % wider."""


def use_fonts(font_set: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the text font of the program one of `FONT_SETS`; skips where its families are not installed."""
    installed, text_font = set(QFontDatabase().families()), theme.text_font
    families: list[str] = []
    if font_set == "bundled":
        added = QFontDatabase.addApplicationFont(str(resource("fonts", "detrdesk-sans.otf")))
        families = QFontDatabase.applicationFontFamilies(added)
    elif font_set == "droid":
        families = ["DejaVu Sans", "Droid Sans Fallback"]
        if not installed.issuperset(families):
            pytest.skip(f"needs {' and '.join(families)}")

    def font() -> QFont:
        font = text_font()
        if families:
            font.setFamilies(families)
        font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 115 if font_set == "wide" else 100)
        return font

    monkeypatch.setattr(theme, "text_font", font)


def cut_texts(window: QWidget) -> list[str]:
    """What of the visible widgets' texts has no room."""
    shown = [each for each in window.findChildren(QWidget) if each.isVisible()]
    return [cut for widget in shown if (cut := why_cut(widget))]


def why_cut(widget: QWidget) -> str:
    """What of a widget's text has no room; empty where it fits."""
    metrics, room = widget.fontMetrics(), widget.contentsRect().width()
    if widget.objectName() == "qt_toolbar_ext_button":
        return "the end of the tool bar"
    if isinstance(widget, QLabel) and widget.wordWrap():
        tall = widget.heightForWidth(widget.width())
        return f"{widget.text()}: {tall} tall in {widget.height()}" if tall > widget.height() else ""
    if isinstance(widget, QLabel):
        is_link, text = widget.text().startswith("<a"), widget.text()
        needed = widget.sizeHint().width() if is_link else metrics.horizontalAdvance(text)
        room = widget.width() if is_link else room
    elif isinstance(widget, QAbstractButton):
        needed, text = (widget.sizeHint().width() if widget.text() else 0), widget.text()
        room = widget.width()
    elif isinstance(widget, QLineEdit) and widget.objectName() == "serverKey":
        return ""  # a random key scrolls in its field, and the button beside it copies it whole
    elif isinstance(widget, QLineEdit):
        text = widget.placeholderText() or widget.text()
        needed = metrics.horizontalAdvance(text)
    elif isinstance(widget, QAbstractSpinBox):
        needed, text, room = widget.minimumSizeHint().width(), widget.text(), widget.width()
    elif isinstance(widget, QComboBox):
        needed, text, room = widget.minimumSizeHint().width(), widget.currentText(), widget.width()
    elif isinstance(widget, QTabWidget):
        needed, text, room = widget.tabBar().sizeHint().width(), "tabs", widget.width()
    elif isinstance(widget, QTableView):
        header = widget.horizontalHeader()
        short = [at for at in range(header.count()) if header.sectionSizeHint(at) > header.sectionSize(at)]
        return f"columns {short}" if short else ""
    else:
        return ""
    return f"{text}: {needed} wide in {room}" if needed > room else ""
