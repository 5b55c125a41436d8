"""A requests adapter that connects to given IP addresses only, with its sockets under a watchdog."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from engine.image.watchdog import Watchdog

Address = tuple[int, Any]
"""Address family and socket address, as returned by `getaddrinfo`."""


class PinnedAdapter(HTTPAdapter):
    """Connects to `addresses` only; the Host header and certificate check still use the host name.

    `addresses` does not apply to requests through a proxy, since the proxy makes the connection.
    """

    def __init__(self, addresses: Sequence[Address], watchdog: Watchdog) -> None:
        self._made: list[HTTPConnection | HTTPResponse] = []
        self._direct = _pools(addresses, watchdog, self._made)
        self._proxied = _pools(None, watchdog, self._made)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use the pinned connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._direct

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Use the watched connections; a SOCKS proxy keeps its own."""
        manager = super().proxy_manager_for(*args, **kwargs)
        if not args[0].lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._proxied
        return manager

    def close(self) -> None:
        """Also close connections that urllib3 abandons without closing, as it does on invalid headers."""
        super().close()
        for each in self._made:
            each.close()


def _pools(
    addresses: Sequence[Address] | None, watchdog: Watchdog, made: list[HTTPConnection | HTTPResponse]
) -> dict[str, type[HTTPConnectionPool]]:
    """Make pool classes by scheme that append each connection and response to `made`.

    Without `addresses`, urllib3 resolves the host.
    """

    class Response(HTTPResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    class Connection(HTTPConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            made.append(self)
            if addresses is not None:
                return _connect(self, addresses, watchdog)
            sock = super()._new_conn()
            with _closing_on_error(sock):
                watchdog.hold(sock)
            return sock

    class SecureConnection(Connection, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def _connect(connection: HTTPConnection, addresses: Sequence[Address], watchdog: Watchdog) -> socket.socket:
    """Connect to the first address that accepts; the remaining time is divided among the addresses left.

    Raises:
        NewConnectionError: No address accepts.
        CancelledError, DeadlineError: As raised by the watchdog.
    """
    failure: OSError | None = None
    for tried, (family, address) in enumerate(addresses):
        sock = socket.socket(family, socket.SOCK_STREAM)
        with _closing_on_error(sock):
            watchdog.hold(sock)
            try:
                sock.settimeout(watchdog.remaining / (len(addresses) - tried))
                sock.connect(address)
                sock.settimeout(watchdog.remaining)
                return sock
            except OSError as error:
                failure = error
                sock.close()
                watchdog.check()
    raise NewConnectionError(connection, str(failure)) from failure


@contextlib.contextmanager
def _closing_on_error(sock: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        sock.close()
        raise
