"""The words of the window: English in the code, translated by gettext where a catalogue is shipped."""

from __future__ import annotations

import gettext
import locale
import os

from engine.errors import EngineError
from engine.paths import resource

_installed: list[gettext.NullTranslations] = [gettext.NullTranslations()]


def install_language(language: str | None = None) -> None:
    """Use a language, e.g. `zh_CN`, from now on; `None` takes the system's."""
    languages = [language] if language else _system_languages()
    _installed[0] = gettext.translation("detrdesk", str(resource("locale")), languages, fallback=True)


def tr(text: str, **params: object) -> str:
    """The translation of an English text, with its `{name}` fields filled in."""
    translated = _installed[0].gettext(text)
    return translated.format(**params) if params else translated


def tr_count(one: str, many: str, count: int, **params: object) -> str:
    """The translation of a text that depends on a number, which it may show as `{count}`."""
    return _installed[0].ngettext(one, many, count).format(count=count, **params)


def error_text(error: EngineError) -> str:
    """An engine's error in the window's language."""
    return tr(error.template, **error.params)


def _system_languages() -> list[str]:
    names = [os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((name for name in names if name), locale.getlocale()[0] or "")
    return [name.split(".")[0] for name in chosen.split(":") if name]
