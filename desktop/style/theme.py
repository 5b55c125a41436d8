"""The look of the window: colours for light and dark, fonts, and the style sheet."""

from __future__ import annotations

import dataclasses
import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from string import Template
from typing import Literal

from PyQt5.QtCore import QCoreApplication, QDir, QSettings
from PyQt5.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QFontMetricsF, QPalette
from PyQt5.QtWidgets import QApplication, QToolTip

from engine.paths import resource

Scheme = Literal["light", "dark"]

GRID = 8
"""Distances in the window are multiples of this, in pixels."""

_SCHEME_PROPERTY = "detrdesk_scheme"
_FORMER_PROPERTY = "detrdesk_scheme_before"
_GENERIC_FAMILIES = frozenset({"sans", "sans serif", "sans-serif", "helvetica", "dejavu sans", "dejavu lgc sans"})
_GENERIC_TEXT_SIZE = 10.0
_UI_FAMILIES = ("Inter", "Cantarell", "Ubuntu", "Noto Sans", "Roboto", "Open Sans", "DejaVu Sans")
_CODE_FAMILIES = ("Noto Sans Mono", "DejaVu Sans Mono", "Liberation Mono", "Courier New")
_CJK_FAMILIES = (
    "PingFang SC",
    "Microsoft YaHei UI",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
)


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one scheme, by purpose.

    Attributes:
        scheme: `light` or `dark`.
        window: Behind tool bars, docks and the status bar.
        surface: Behind lists, tables and fields.
        hover, pressed: Behind a control under the pointer, or held down.
        text, text_muted, text_disabled: What is read; hints; what cannot be used now.
        border, field_border: Lines between areas; edges of fields and buttons.
        scroll_bar, scroll_bar_hover: The handle of a scroll bar.
        accent, accent_hover, accent_pressed, accent_text: The one colour that calls for attention, and text on it.
        focus: The ring around what the keyboard acts on.
        link: Text in the accent's hue.
        selection: Behind selected rows; `text` stays readable on it.
        danger, warning, success: Text and icons that say how something went.
        tooltip, tooltip_text: A tool tip and its text.
        canvas: Around the image.
    """

    scheme: Scheme
    window: str
    surface: str
    hover: str
    pressed: str
    text: str
    text_muted: str
    text_disabled: str
    border: str
    field_border: str
    scroll_bar: str
    scroll_bar_hover: str
    accent: str
    accent_hover: str
    accent_pressed: str
    accent_text: str
    focus: str
    link: str
    selection: str
    danger: str
    warning: str
    success: str
    tooltip: str
    tooltip_text: str
    canvas: str


LIGHT = Theme(
    scheme="light",
    window="#f6f6f8",
    surface="#ffffff",
    hover="#ebebef",
    pressed="#e0e1e6",
    text="#1c1d21",
    text_muted="#5f626b",
    text_disabled="#a6a9b1",
    border="#e3e4e8",
    field_border="#d2d4da",
    scroll_bar="#cdcfd5",
    scroll_bar_hover="#a9acb4",
    accent="#5561d0",
    accent_hover="#4d58c6",
    accent_pressed="#434db3",
    accent_text="#ffffff",
    focus="#5561d0",
    link="#4d58c6",
    selection="#e4e7fb",
    danger="#c12c47",
    warning="#8a5b00",
    success="#1a7a48",
    tooltip="#2a2b31",
    tooltip_text="#f4f4f6",
    canvas="#eaebee",
)

DARK = Theme(
    scheme="dark",
    window="#1a1b1e",
    surface="#202125",
    hover="#2b2c31",
    pressed="#36373d",
    text="#e6e7ea",
    text_muted="#a2a5ae",
    text_disabled="#62656d",
    border="#2d2e33",
    field_border="#3c3d44",
    scroll_bar="#414249",
    scroll_bar_hover="#5c5e66",
    accent="#5864cd",
    accent_hover="#5e6ad2",
    accent_pressed="#4b56ba",
    accent_text="#ffffff",
    focus="#7c87ea",
    link="#a3acf7",
    selection="#2e3358",
    danger="#f2728a",
    warning="#e2b457",
    success="#5bc48c",
    tooltip="#36373d",
    tooltip_text="#f0f0f2",
    canvas="#131416",
)

THEMES: dict[Scheme, Theme] = {"light": LIGHT, "dark": DARK}


def current_theme() -> Theme:
    """Return the theme that was applied last; light before that."""
    app = QCoreApplication.instance()
    return DARK if app is not None and app.property(_SCHEME_PROPERTY) == "dark" else LIGHT


def apply_theme(app: QApplication, scheme: Scheme) -> None:
    """Apply the colours, fonts and style sheet of `scheme` to every widget."""
    theme = THEMES[scheme]
    if app.property(_SCHEME_PROPERTY) is None:
        app.setProperty(_FORMER_PROPERTY, _palette_scheme(app.palette()))
    app.setProperty(_SCHEME_PROPERTY, scheme)
    app.setStyle("Fusion")
    palette = _palette(theme)
    app.setPalette(palette)
    QToolTip.setPalette(palette)
    text = text_font()
    app.setFont(text)
    app.setStyleSheet(style_sheet(theme, text.pointSizeF()))


def style_sheet(theme: Theme, text_size: float) -> str:
    """Return the `.qss` template filled in with the colours of `theme` and sizes in points."""
    QDir.setSearchPaths("style", [str(resource("style"))])
    template = Template(resource("style", "detrdesk.qss").read_text(encoding="utf-8"))
    return template.substitute(dataclasses.asdict(theme), hint_size=f"{_hint_size(text_size):g}")


def text_font() -> QFont:
    """Return the system's UI font, with fallbacks that have Chinese, Japanese and Korean."""
    _ensure_chinese()
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if system.family().lower() not in _GENERIC_FAMILIES:
        system.setFamilies([system.family(), *_CJK_FAMILIES])
        return system
    installed = frozenset(QFontDatabase().families())
    font = QFont()
    font.setFamilies([*(family for family in _UI_FAMILIES if family in installed), *_CJK_FAMILIES])
    font.setPointSizeF(_GENERIC_TEXT_SIZE)
    return font


def number_font() -> QFont:
    """Return the text font, or the nearest one with tabular figures."""
    font = text_font()
    for family in (font.families()[0], *_UI_FAMILIES):
        font.setFamilies([family, *_CJK_FAMILIES])
        if _has_tabular_figures(font):
            return font
    fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    fixed.setPointSizeF(font.pointSizeF())
    return fixed


def code_font() -> QFont:
    """Return a monospaced font in the size of hints."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    if not QFontInfo(font).fixedPitch():
        font.setFamilies([*_CODE_FAMILIES, *_CJK_FAMILIES])
        font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(hint_font().pointSizeF())
    return font


def hint_font() -> QFont:
    """Return the small font, for hints and for labels on the image."""
    font = text_font()
    font.setPointSizeF(_hint_size(font.pointSizeF()))
    return font


def system_scheme(app: QApplication) -> Scheme:
    """Return the scheme of the desktop, else that of the palette of `app` before `apply_theme`."""
    themed = app.property(_SCHEME_PROPERTY) is not None
    return reported_scheme() or (app.property(_FORMER_PROPERTY) if themed else _palette_scheme(app.palette()))


def reported_scheme() -> Scheme | None:
    """Return the scheme that the desktop reports, if it does; takes up to half a second, in any thread."""
    if sys.platform == "win32":
        return _windows_scheme()
    return _macos_scheme() if sys.platform == "darwin" else _gtk_scheme()


@functools.cache
def _ensure_chinese() -> None:
    """Load the bundled font where the system has none with Chinese; Qt falls back to it by itself."""
    if not QFontDatabase().families(QFontDatabase.WritingSystem.SimplifiedChinese):
        QFontDatabase.addApplicationFont(str(resource("fonts", "detrdesk-sans.otf")))


def _hint_size(text_size: float) -> float:
    return max(7.5, round(text_size * 0.88 * 2) / 2)


def _has_tabular_figures(font: QFont) -> bool:
    metrics = QFontMetricsF(font)
    return len({round(metrics.horizontalAdvance(figure), 2) for figure in "0123456789"}) == 1


def _windows_scheme() -> Scheme | None:
    key = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
    light = QSettings(key, QSettings.Format.NativeFormat).value("AppsUseLightTheme")
    if light is None:
        return None
    return "light" if int(light) else "dark"


def _macos_scheme() -> Scheme:
    return "dark" if "dark" in output_of("defaults", "read", "-g", "AppleInterfaceStyle") else "light"


def _gtk_scheme() -> Scheme | None:
    gtk_theme = os.environ.get("GTK_THEME", "").lower()
    if gtk_theme:
        return "dark" if gtk_theme.endswith(("dark", ":dark")) else "light"
    reported = output_of("gsettings", "get", "org.gnome.desktop.interface", "color-scheme")
    if "prefer-dark" in reported:
        return "dark"
    return "light" if "prefer-light" in reported else None


def output_of(*command: str) -> str:
    """Return what a command prints, in lower case; empty where it is not installed or takes longer than 0.5 s."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=0.5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip().lower()


def _palette_scheme(palette: QPalette) -> Scheme:
    return "dark" if palette.color(QPalette.ColorRole.Window).lightness() < 128 else "light"


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    colours: dict[QPalette.ColorRole, str] = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.window,
        role.Text: theme.text,
        role.Button: theme.surface,
        role.ButtonText: theme.text,
        role.BrightText: theme.danger,
        role.ToolTipBase: theme.tooltip,
        role.ToolTipText: theme.tooltip_text,
        role.PlaceholderText: theme.text_muted,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_text,
        role.Link: theme.link,
        role.LinkVisited: theme.link,
        role.Light: theme.surface,
        role.Midlight: theme.hover,
        role.Mid: theme.field_border,
        role.Dark: theme.border,
        role.Shadow: theme.border,
    }
    palette = QPalette()
    for which, colour in colours.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.text_disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(theme.hover))
    return palette
