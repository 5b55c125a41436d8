"""At most one server, started and stopped away from the window's thread."""

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
    from engine.api.request_log import Record
    from engine.api.server import Server


@dataclass(frozen=True)
class Outcome:
    """What became of a wish.

    Attributes:
        number: Of the wish.
        address: What clients ask; empty where there is no server.
        port: The real one.
        error: Why there is none, where one was wished.
    """

    number: int
    address: str = ""
    port: int = 0
    error: EngineError | None = None


class OneServer:
    """Carries out numbered wishes, one after the other; those that are not the newest any more cost nothing.

    Attributes:
        newest: The number of the newest wish.
        left_behind: Whether something of a server did not end in time.
    """

    def __init__(
        self,
        engine: Engine,
        default_model: Callable[[], str],
        listener: Callable[[Record], None],
        answered: Callable[[OpenedImage, Detections, Filter], None],
        died: Callable[[int], None],
    ) -> None:
        """Carry out wishes; `died` is told, on a thread of the server's, whose number ended by itself."""
        self._engine = engine
        self._default_model = default_model
        self._listener = listener
        self._answered = answered
        self._died = died
        self._server: Server | None = None
        self.newest = 0
        self.left_behind = False

    def carry_out(self, number: int, settings: Settings | None) -> Outcome | None:
        """Serve with these settings, or not at all, in place of what there is; `None` where the wish is outdated."""
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
        """Import what a server needs before it is wished for."""
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
    """What clients ask: where it listens everywhere, this machine's address in its network."""
    reachable = _own_address() if host in ("0.0.0.0", "::", "") else host
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _own_address() -> str:
    """The address that other machines reach this one at; the way out is looked up, nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        try:
            way_out.connect(("192.0.2.1", 9))
            return str(way_out.getsockname()[0])
        except OSError:
            return "127.0.0.1"
