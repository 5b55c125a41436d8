"""The controller of the window's server: each action changes its state or restarts it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import SecretStr
from PyQt5.QtCore import QObject, pyqtSignal

from desktop.server.inbox import Inbox
from desktop.server.key_store import KeyStore, key_of
from desktop.server.runner import Outcome, ServerRunner
from desktop.state.server import (
    AnsweredRequest,
    Key,
    Phase,
    ServerState,
    answered,
    configured,
    host_chosen,
    inbox_switched,
    key_found,
    key_seen,
    port_chosen,
    started,
    starting,
    stopped,
    stopping,
)
from desktop.style.i18n import error_text, tr
from desktop.work.feed import Feed
from desktop.work.task_runner import TaskRunner
from engine.engine import Engine
from engine.errors import EngineError
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.api.request_log import RequestRecord


class ServerControl(QObject):
    """Holds the server's state; starts and stops it in the background, where only the newest request counts.

    Attributes:
        state: What the panel shows.
        inbox: Receives the images of clients.

    Signals:
        changed(ServerState): The state has changed.
    """

    changed = pyqtSignal(object)
    _died = pyqtSignal(int)

    def __init__(self, engine: Engine, default_model: Callable[[], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = engine.settings
        self.state = configured(self._settings.host, self._settings.port, not self._settings.no_key)
        self.inbox = Inbox(engine.read, self)
        self._requests = Feed(parent=self)
        self._requests.delivered.connect(self._on_answered)
        self._server = ServerRunner(engine, default_model, self._listen, self.inbox.take, self._tell_death)
        self._died.connect(self._on_death)
        self._tasks = TaskRunner("server control", self)
        self._tasks.failed.connect(self._on_failed)
        self._own_key: Key | None = None
        self._key_awaited = False
        self._dead = -1
        self._keys = KeyStore(self)
        self._keys.found.connect(self._on_key)

    def prepare(self) -> None:
        """Import the server's modules, so that it starts quickly."""
        self._tasks.run(lambda task: self._server.prepare())

    def switch(self, on: bool) -> None:
        """Start or stop the server."""
        if on == self.state.wanted:
            return
        if on:
            self._set(starting(self.state))
            self._start_with_key()
        else:
            self._set(stopping(self.state))
            self._request(None)

    def set_host(self, host: str) -> None:
        """Listen on this address, at once if it runs; one that other computers reach needs a key."""
        if host != self.state.host:
            self._set(host_chosen(self.state, host))
            self._follow_choice()

    def set_port(self, port: int) -> None:
        """Listen on this port, at once if it runs; 0 chooses a free one."""
        if port != self.state.port:
            self._set(port_chosen(self.state, port))
            self._follow_choice()

    def renew_key(self) -> None:
        """Generate a new key; the former one is refused from then on."""
        self._key_awaited = True
        self._keys.renew()

    def hide_key(self) -> None:
        """Show the key no longer, because the user has copied it."""
        if self._own_key is not None:
            self._own_key = replace(self._own_key, is_new=False)
        self._set(key_seen(self.state))

    def open_inbox(self, is_open: bool) -> None:
        """Start or stop adding the images of clients to the list."""
        self.inbox.is_open = is_open
        self._set(inbox_switched(self.state, is_open))

    def close(self) -> bool:
        """Stop the server, and return whether all of it ended in time."""
        self._request(None)
        self._tasks.wait()
        return not self._server.left_behind

    def _follow_choice(self) -> None:
        """Restart with the chosen host and port if the server is on."""
        if self.state.wanted:
            self._set(starting(self.state))
            self._start_with_key()
        else:
            self._look_for_key()

    def _start_with_key(self) -> None:
        """Start, or wait for `_on_key` if the key is still being read."""
        if self._look_for_key():
            settings, state = self._settings, self.state
            key = None if state.key is None else SecretStr(state.key.text)
            self._request(settings.model_copy(update={"host": state.host, "port": state.port, "api_key": key}))

    def _look_for_key(self) -> bool:
        """Return whether the key is known or none is needed; otherwise `_on_key` continues."""
        try:
            key = key_of(self._settings)
        except EngineError as error:
            self._set(stopped(self.state, error_text(error)))
            return False
        if key is None and self.state.for_everyone and self.state.key_needed:
            key = self._own_key
            if key is None and not self._key_awaited:
                self._key_awaited = True
                self._keys.find()
            if key is None:
                return False
        if key != self.state.key:
            self._set(key_found(self.state, key))
        return True

    def _request(self, settings: Settings | None) -> None:
        """Request a server with these settings, or none; requests before this one are dropped."""
        self._server.newest += 1
        number = self._server.newest
        self._tasks.run(lambda task: self._server.apply(number, settings), self._on_outcome)

    def _listen(self, record: RequestRecord) -> None:
        """Add an answered request to the table; called in the server's event loop."""
        counts = record.images, record.tokens, record.ms, record.status
        self._requests.put(AnsweredRequest(record.started, record.client, record.method, record.path, *counts))

    def _tell_death(self, number: int) -> None:
        """Report that a server ended by itself; called in its thread."""
        self._dead = number
        with contextlib.suppress(RuntimeError):  # the window was deleted
            self._died.emit(number)

    def _on_death(self, number: int) -> None:
        if number == self._server.newest:
            self._set(stopped(self.state, tr("The server ended by itself; switch it on again.")))

    def _on_key(self, key: Key) -> None:
        self._own_key, self._key_awaited = key, False
        if self.state.for_everyone:
            self._follow_choice()

    def _on_answered(self, more: list[AnsweredRequest]) -> None:
        self._set(answered(self.state, more))

    def _on_outcome(self, outcome: Outcome | None) -> None:
        if outcome is None or outcome.number != self._server.newest:
            return
        if outcome.error is not None:
            self._set(stopped(self.state, error_text(outcome.error)))
        elif outcome.address and outcome.number != self._dead:
            self._set(started(self.state, outcome.address, outcome.port))
        elif self.state.phase == Phase.STOPPING:
            self._set(stopped(self.state))

    def _on_failed(self, error: EngineError) -> None:
        self._set(stopped(self.state, error_text(error)))

    def _set(self, state: ServerState) -> None:
        self.state = state
        self.changed.emit(state)
