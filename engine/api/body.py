"""Limits on the size and duration of request bodies, counted as they arrive."""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.errors import RequestError, error_response
from engine.errors import EngineError
from engine.image.limits import MEBIBYTE

_IDLE_SECONDS = 15.0
_TOTAL_SECONDS = 120.0
_DRAIN_SECONDS = 3.0
_HELD_BODIES = 16
"""Most bodies of the largest size in memory at once, over all requests."""


class BodyLimit:
    """ASGI middleware that refuses bodies over `limit` bytes, bodies that arrive too slowly, and too many at once."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        counted = _Counted(receive, self._limit, self._limit * _HELD_BODIES - self._held)
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared[:20]) > self._limit:
            await counted.drain()
            await error_response(_too_large(self._limit), scope["path"])(scope, receive, send)
            return

        async def counting() -> Message:
            before = counted.size
            message = await counted.receive()
            self._held += counted.size - before
            return message

        try:
            await self._app(scope, counting, send)
        finally:
            self._held -= counted.size


class _Counted:
    """Counts the body of one request."""

    def __init__(self, receive: Receive, limit: int, room: int) -> None:
        self._receive = receive
        self._limit = limit
        self._room = room
        self._until = time.monotonic() + _TOTAL_SECONDS
        self._complete = False
        self.size = 0

    async def receive(self) -> Message:
        """Return the next message; after the body there is no time limit."""
        if self._complete:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), min(_IDLE_SECONDS, self._until - time.monotonic()))
        except TimeoutError:
            raise RequestError("body_too_slow", "The request did not arrive in time; send it again.") from None
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        self.size += len(message.get("body", b""))
        if self.size > self._limit:
            await self.drain()
            raise _too_large(self._limit)
        if self.size > self._room:
            await self.drain()
            raise EngineError("queue_full", "The server is busy with other requests; ask again in a few seconds.")
        return message

    async def drain(self) -> None:
        """Read and discard for a moment, since a client that is still sending would not see the answer."""
        left = 2 * self._limit
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while left > 0 and not self._complete:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        except TimeoutError:
            self._complete = True


def _too_large(limit: int) -> RequestError:
    message = "The request is larger than {limit} MiB; send smaller or fewer images."
    return RequestError("body_too_large", message, limit=f"{limit / MEBIBYTE:g}")
