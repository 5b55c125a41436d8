"""Translation of the window: English in the code, gettext catalogues for other languages."""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Iterable

from PyQt5.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from engine.errors import EngineError
from engine.paths import resource

_installed: list[gettext.NullTranslations] = [gettext.NullTranslations()]
_qt_installed: list[QTranslator] = []


def install_language(language: str | None = None) -> None:
    """Use a language, e.g. `zh_CN`, from now on, for Qt's own texts too; `None` uses the system's."""
    languages = _catalogues([language] if language else _system_languages())
    _installed[0] = gettext.translation("detrdesk", str(resource("locale")), languages, fallback=True)
    _install_qt(_installed[0].info().get("language", ""))


def current_language() -> str:
    """Return the language of the catalogue in use, e.g. `zh_CN`; empty for English."""
    return _installed[0].info().get("language", "")


def tr(text: str, **params: object) -> str:
    """Return the translation of an English text with its `{name}` fields filled in."""
    translated = _installed[0].gettext(text)
    return translated.format(**params) if params else translated


def tr_count(one: str, many: str, count: int, **params: object) -> str:
    """Return the translation of a text that depends on a number, which it may show as `{count}`."""
    return _installed[0].ngettext(one, many, count).format(count=count, **params)


def error_text(error: EngineError) -> str:
    """Return the text of an error in the window's language; a `reason` in the catalogue is translated too."""
    params = dict(error.params)
    reason = params.get("reason")
    if isinstance(reason, str) and reason:
        params["reason"] = tr(reason)
    return tr(error.template, **params)


def _install_qt(language: str) -> None:
    """Install the translation of Qt's own texts, e.g. buttons of dialogs and menus of text fields."""
    app = QCoreApplication.instance()
    if app is None:
        return
    for former in _qt_installed:
        app.removeTranslator(former)
    _qt_installed.clear()
    translator = QTranslator()
    folder = QLibraryInfo.location(QLibraryInfo.LibraryLocation.TranslationsPath)
    if language and translator.load(f"qtbase_{language}", folder):
        app.installTranslator(translator)
        _qt_installed.append(translator)


def _system_languages() -> list[str]:
    """Return the languages of the environment, else of the desktop."""
    names = (os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    chosen = next((name for name in names if name), "")
    return chosen.split(":") if chosen else QLocale.system().uiLanguages()


def _catalogues(languages: Iterable[str]) -> list[str]:
    """Return names of catalogues for language tags, best first.

    English ends the list: the code speaks it. `zh`, `zh_Hans` and `zh_SG` read Simplified Chinese; Taiwan, Hong Kong
    and Macau do not, so neither does the bare `zh` that a system adds behind them.
    """
    wanted: list[str] = []
    traditional = False
    for tag in filter(None, languages):
        name = re.split(r"[.@]", tag)[0].replace("-", "_")
        language, *parts = name.lower().split("_")
        if language in {"en", "c", "posix"}:
            break
        if language != "zh":
            wanted.append(name)
        elif "hans" not in parts and {"hant", "tw", "hk", "mo"} & set(parts):
            traditional = True
        elif parts or not traditional:
            wanted.append("zh_CN")
    return wanted
