"""The access log: one record a request, without images and keys."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.errors import CLIENT_GONE, bug_response
from engine.api.metrics import Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_LONGEST_PATH = 200
OTHER = "other"
"""The endpoint of unknown paths."""


@dataclass
class RequestRecord:
    """One request, filled in as it is answered.

    Attributes:
        method, path: Of the request, without the query.
        client: Address of the client.
        request_id: The client's own, or a new one.
        started: Seconds since the epoch.
        endpoint: The path as the documentation has it.
        status: The answer's; 499 where the client went away first.
        ms: Milliseconds until the answer was sent.
        images, tokens: How many were decoded.
    """

    method: str
    path: str
    client: str
    request_id: str
    started: float
    endpoint: str = OTHER
    status: int = CLIENT_GONE
    ms: float = 0.0
    images: int = 0
    tokens: int = 0


Listener = Callable[[RequestRecord], None]


class RequestLog:
    """Outermost ASGI middleware: writes the record, returns the request id, and answers unexpected exceptions."""

    def __init__(self, app: ASGIApp, endpoints: frozenset[str], metrics: Metrics, listener: Listener) -> None:
        self._app = app
        self._endpoints = endpoints
        self._metrics = metrics
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = scope.setdefault("state", {})["record"] = _record(scope)
        record.endpoint = record.path if record.path in self._endpoints else OTHER
        started = time.perf_counter()
        answering = False

        async def send_with_id(message: Message) -> None:
            nonlocal answering
            if message["type"] == "http.response.start":
                answering = True
                record.status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = record.request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if answering:
                raise
            await bug_response(error, record.path)(scope, receive, send_with_id)
        finally:
            record.ms = (time.perf_counter() - started) * 1e3
            self._metrics.count_request(record.endpoint, record.status, record.images, record.tokens)
            self._listener(record)


def log_line(record: RequestRecord) -> str:
    """Format a record as text."""
    counts = f"{record.ms:.1f} ms, {record.images} images, {record.tokens} tokens"
    return f"{record.client} {record.method} {record.path} {record.status} {counts}, {record.request_id}"


def log_json(record: RequestRecord) -> str:
    """Format a record as JSON."""
    return json.dumps(asdict(record) | {"ms": round(record.ms, 1)}, ensure_ascii=False)


def to_log(line: Callable[[RequestRecord], str]) -> Listener:
    """Return a listener that writes each record to the logger `detrdesk.access`."""
    logger = logging.getLogger("detrdesk.access")
    return lambda record: logger.info("%s", line(record))


def _record(scope: Scope) -> RequestRecord:
    path = "".join(sign if sign.isprintable() else "?" for sign in scope["path"])[:_LONGEST_PATH]
    sent_id = Headers(scope=scope).get("x-request-id", "")
    request_id = sent_id if _REQUEST_ID.fullmatch(sent_id) else uuid.uuid4().hex
    client = scope.get("client") or ("", 0)
    return RequestRecord(scope["method"], path, client[0], request_id, time.time())
