"""The server's API key: from the settings, else from the system's keyring, else generated and stored there."""

from __future__ import annotations

import logging
import secrets

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.server import Key, KeyPlace
from desktop.work.task_runner import Task, TaskRunner
from engine.errors import EngineError
from engine.paths import config_dir
from engine.settings import Settings

SERVICE = "detrdesk"
_KEY_BYTES = 24
log = logging.getLogger("detrdesk")


class KeyStore(QObject):
    """Reads and writes the key in the background: a keyring may wait until the user enters a password.

    Signals:
        found(Key): The key that clients must send.
    """

    found = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner("keyring", self, threads=None)

    def find(self) -> None:
        """Read the stored key, or generate one; `found` follows."""
        self._tasks.run(_stored_key, self.found.emit)

    def renew(self) -> None:
        """Replace the key by a new one; `found` follows."""
        self._tasks.run(_new_key, self.found.emit)


def _stored_key(task: Task) -> Key:
    try:
        stored = _read()
    except Exception as error:  # each backend has errors of its own
        log.info("No key from the keyring: %s", type(error).__name__)
        return Key(_new(), is_new=True)
    return Key(stored, KeyPlace.KEYRING) if stored else _new_key(task)


def _new_key(task: Task) -> Key:
    text = _new()
    return Key(text, KeyPlace.KEYRING if _store(text) else KeyPlace.SESSION, is_new=True)


def key_of(settings: Settings) -> Key | None:
    """Return the key that the settings give, directly or as a file.

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
    """Return the keyring's user name: there is one key for each config folder."""
    return f"server key of {config_dir()}"


def _new() -> str:
    return secrets.token_urlsafe(_KEY_BYTES)


def _read() -> str | None:
    import keyring

    return keyring.get_password(SERVICE, _user())


def _store(text: str) -> bool:
    """Store the key in the keyring, and return whether that worked."""
    try:
        import keyring

        keyring.set_password(SERVICE, _user(), text)
        return keyring.get_password(SERVICE, _user()) == text
    except Exception as error:  # each backend has errors of its own
        log.info("The key is not stored in a keyring: %s", type(error).__name__)
        return False
