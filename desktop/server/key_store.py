"""The server's key: from the settings, else from the system's keyring, else made and kept there where that works."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.server import Key, KeyPlace
from engine.errors import EngineError
from engine.paths import config_dir
from engine.settings import Settings

SERVICE = "detrdesk"
_KEY_BYTES = 24
log = logging.getLogger("detrdesk")


class KeyStore(QObject):
    """Looks for the key in a thread of its own: a keyring may ask the user for a password first, and wait for it.

    Signals:
        found(Key): What clients must send.
    """

    found = pyqtSignal(object)

    def find(self) -> None:
        """The key that is kept, else a new one; `found` brings it."""
        threading.Thread(target=self._find, name="keyring", daemon=True).start()

    def renew(self) -> None:
        """A new key in place of the old one; `found` brings it."""
        threading.Thread(target=self._make, name="keyring", daemon=True).start()

    def _find(self) -> None:
        try:
            kept = _read()
        except Exception as error:  # each backend has errors of its own
            log.info("No key from the keyring: %s", type(error).__name__)
            self._tell(Key(_new(), is_new=True))
        else:
            if kept:
                self._tell(Key(kept, KeyPlace.KEYRING))
            else:
                self._make()

    def _make(self) -> None:
        text = _new()
        self._tell(Key(text, KeyPlace.KEYRING if _keep(text) else KeyPlace.SESSION, is_new=True))

    def _tell(self, key: Key) -> None:
        with contextlib.suppress(RuntimeError):  # the window is gone
            self.found.emit(key)


def key_of(settings: Settings) -> Key | None:
    """The key that the user's settings name.

    Raises:
        EngineError: `key_unreadable`.
    """
    if settings.api_key_file is not None:
        try:
            return Key(settings.api_key_file.expanduser().read_text("utf-8").strip(), KeyPlace.SETTINGS)
        except (OSError, ValueError) as error:
            message = "The key file {path} cannot be read; give a text file with the key in it."
            raise EngineError("key_unreadable", message, path=settings.api_key_file) from error
    text = settings.api_key.get_secret_value() if settings.api_key else ""
    return Key(text, KeyPlace.SETTINGS) if text else None


def _user() -> str:
    """One key for each config folder."""
    return f"server key of {config_dir()}"


def _new() -> str:
    return secrets.token_urlsafe(_KEY_BYTES)


def _read() -> str | None:
    import keyring

    return keyring.get_password(SERVICE, _user())


def _keep(text: str) -> bool:
    try:
        import keyring

        keyring.set_password(SERVICE, _user(), text)
        return keyring.get_password(SERVICE, _user()) == text
    except Exception as error:  # each backend has errors of its own
        log.info("The key is not kept in a keyring: %s", type(error).__name__)
        return False
