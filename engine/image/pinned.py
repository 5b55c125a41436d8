"""A requests adapter whose connections go to addresses that were checked, under the eye of a watch."""

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

from engine.image.watch import Watch

Address = tuple[int, Any]
"""Address family and the address to connect to, as `getaddrinfo` gives them."""


class PinnedAdapter(HTTPAdapter):
    """Connects to `addresses` and nowhere else; names in the Host header and the certificate stay as they are.

    Through a proxy, `addresses` does not apply: the proxy makes the connection.
    """

    def __init__(self, addresses: Sequence[Address], watch: Watch) -> None:
        self._made: list[HTTPConnection | HTTPResponse] = []
        self._direct = _pools(addresses, watch, self._made)
        self._proxied = _pools(None, watch, self._made)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests does, with our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._direct

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """As requests does, with our connections; a SOCKS proxy keeps its own."""
        manager = super().proxy_manager_for(*args, **kwargs)
        if not args[0].lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._proxied
        return manager

    def close(self) -> None:
        """Close what urllib3 gave up without closing, too, as it does on headers that make no sense."""
        super().close()
        for each in self._made:
            each.close()


def _pools(
    addresses: Sequence[Address] | None, watch: Watch, made: list[HTTPConnection | HTTPResponse]
) -> dict[str, type[HTTPConnectionPool]]:
    """Pool classes by scheme, which note all they make in `made`; `None` for the addresses leaves them to urllib3."""

    class Response(HTTPResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    class Connection(HTTPConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            made.append(self)
            if addresses is not None:
                return _connect(self, addresses, watch)
            sock = super()._new_conn()
            with _closing_on_error(sock):
                watch.hold(sock)
            return sock

    class SecureConnection(Connection, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def _connect(connection: HTTPConnection, addresses: Sequence[Address], watch: Watch) -> socket.socket:
    """A socket to the first address that answers; each gets its share of the time that is left."""
    failure: OSError | None = None
    for tried, (family, address) in enumerate(addresses):
        sock = socket.socket(family, socket.SOCK_STREAM)
        with _closing_on_error(sock):
            watch.hold(sock)
            try:
                sock.settimeout(watch.remaining / (len(addresses) - tried))
                sock.connect(address)
                sock.settimeout(watch.remaining)
                return sock
            except OSError as error:
                failure = error
                sock.close()
                watch.check()
    raise NewConnectionError(connection, str(failure)) from failure


@contextlib.contextmanager
def _closing_on_error(sock: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        sock.close()
        raise
