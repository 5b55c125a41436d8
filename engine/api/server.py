"""The application on a socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.api.errors import RequestError, error_response
from engine.errors import EngineError

HEADER_SECONDS = 15.0
"""Time limit for the head of a request, from connecting or from the previous response."""

_KEEP_ALIVE_SECONDS = 15
_STOP_SECONDS, _GRACE_SECONDS, _START_SECONDS = 5.0, 3, 10.0
_BACKLOG = 1024


class Server:
    """An HTTP server on one address; the address is bound in the constructor.

    Attributes:
        host, port: Where it listens; the port is the real one where 0 was asked for.
    """

    def __init__(
        self, app: FastAPI, host: str = "127.0.0.1", port: int = 8080, died: Callable[[], None] | None = None
    ) -> None:
        """Bind the address.

        Args:
            app: The application.
            host, port: Where to listen; port 0 is a free one.
            died: Called in the server's thread when it ends without `stop`; the log says why.

        Raises:
            EngineError: `port_taken`, `address_refused`.
        """
        self._died = died
        self._socket = _bound(host, port)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            h11_max_incomplete_event_size=64 * 1024,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    @property
    def url(self) -> str:
        """Where it answers, e.g. `http://127.0.0.1:8080`; this machine's own address where it listens on all."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its thread is alive."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread and wait until it answers.

        Raises:
            EngineError: `server_failed`.
        """
        self._thread.start()
        until = time.monotonic() + _START_SECONDS
        while not self._uvicorn.started:
            if not self.running or time.monotonic() > until:
                self.stop()
                raise EngineError("server_failed", "The server did not start; its log says why.")
            time.sleep(0.005)

    def stop(self) -> bool:
        """Finish running requests, stop, and return whether all ended within 5 s."""
        self._uvicorn.should_exit = True
        if self.running:
            self._thread.join(_STOP_SECONDS)
        self._socket.close()
        return not self.running

    def _run(self) -> None:
        try:
            with contextlib.suppress(SystemExit):
                self._uvicorn.run(sockets=[self._socket])
        except Exception as error:
            logging.getLogger("detrdesk.server").error("The server ended by itself.", exc_info=error)
        self._socket.close()
        if self._uvicorn.started and not self._uvicorn.should_exit and self._died is not None:
            self._died()


class _Protocol(H11Protocol):
    """HTTP/1.1 with a time limit for request heads, and malformed requests answered in the error envelope."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._drop_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._deadline is not None:
            self._deadline.cancel()
        if not self.transport.is_closing():
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._drop_if_idle)

    def send_400_response(self, msg: str) -> None:
        """Answer malformed HTTP, where a response is still possible."""
        answer = error_response(RequestError("bad_http", "This is not an HTTP request that can be read."))
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            head = h11.Response(status_code=400, headers=[*answer.raw_headers, (b"connection", b"close")])
            for event in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
                self.transport.write(self._sent(event))
        self.transport.close()

    def _sent(self, event: Any) -> bytes:
        return self.conn.send(event) or b""

    def _drop_if_idle(self) -> None:
        """Close the connection unless it is being answered."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def _bound(host: str, port: int) -> socket.socket:
    """Return a listening socket; its protocol is named, since asyncio disables Nagle's delay (40 ms) only then."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except OSError as error:
        raise _refused(host, port, "there is no such address") from error
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            message = "Port {port} is in use; choose another, or 0 for a free one."
            raise EngineError("port_taken", message, port=port) from error
        raise _refused(host, port, (error.strerror or str(error)).lower()) from error
    return listening


def _refused(host: str, port: int, reason: str) -> EngineError:
    message = "The server cannot listen on {host}, port {port}: {reason}."
    return EngineError("address_refused", message, host=host, port=port, reason=reason)
