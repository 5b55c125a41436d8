"""Starting and stopping the window's one server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.detect.detection import Detections, Filter
from engine.engine import Engine
from engine.errors import EngineError
from engine.image.opened import OpenedImage
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.api.request_log import RequestRecord
    from engine.api.server import Server


@dataclass(frozen=True)
class Outcome:
    """The result of a request to start or stop.

    Attributes:
        number: The number of the request.
        address: The server's address; empty where none runs.
        port: The port it listens on.
        error: Why it could not be started.
    """

    number: int
    address: str = ""
    port: int = 0
    error: EngineError | None = None


class ServerRunner:
    """Starts and stops at most one server, by numbered requests of which only the newest counts.

    Attributes:
        newest: The number of the newest request.
        left_behind: Whether a thread of a server did not end in time.
    """

    def __init__(
        self,
        engine: Engine,
        default_model: Callable[[], str],
        listener: Callable[[RequestRecord], None],
        answered: Callable[[OpenedImage, Detections, Filter], None],
        died: Callable[[int], None],
    ) -> None:
        """Start no server yet; `died` gets the request's number, in the server's thread, if it ends by itself."""
        self._engine = engine
        self._default_model = default_model
        self._listener = listener
        self._answered = answered
        self._died = died
        self._server: Server | None = None
        self.newest = 0
        self.left_behind = False

    def apply(self, number: int, settings: Settings | None) -> Outcome | None:
        """Replace the server by one with these settings, or by none; return `None` if a newer request exists."""
        if number != self.newest:
            return None
        self._stop()
        if settings is None:
            return Outcome(number)
        try:
            self._server = self._started(number, settings)
        except EngineError as error:
            return Outcome(number, error=error)
        return Outcome(number, _address(settings.host, self._server.port), self._server.port)

    def prepare(self) -> None:
        """Import what a server needs, which takes a second."""
        import engine.api.app
        import engine.api.server  # noqa: F401

    def _started(self, number: int, settings: Settings) -> Server:
        from engine.api.app import create_app
        from engine.api.server import Server

        app = create_app(
            self._engine,
            settings,
            default_model=self._default_model,
            listener=self._listener,
            answered=self._answered,
        )
        server = Server(app, settings.host, settings.port, lambda: self._died(number))
        server.start()
        return server

    def _stop(self) -> None:
        if self._server is not None and not self._server.stop():
            self.left_behind = True
        self._server = None


def _address(host: str, port: int) -> str:
    """Return the server's address; one that listens everywhere has this machine's address in its network."""
    reachable = _own_address() if host in ("0.0.0.0", "::", "") else host
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _own_address() -> str:
    """Return this machine's address in its network; connecting a UDP socket chooses it and sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
