"""Middleware that checks access before the body is read, and adds security and CORS headers."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.access import Access
from engine.api.errors import RequestError, error_response

_EXPOSED = "X-Prompts-Token, X-Request-Id, Retry-After"
_TAKEN = "Authorization, Content-Type, X-Api-Key, X-Detr-Threshold, X-Model, X-Request-Id"
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
}


class Guard:
    """ASGI middleware that applies the rules of `Access`."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer with the error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        added = _SAFE | (_cors(origin) if origin and self._access.allows_origin(origin) else {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in added.items():
                    out.setdefault(name, value)
                if origin:
                    out.add_vary_header("Origin")
            await send(message)

        try:
            self._access.check(scope["method"], scope["path"], headers)
        except RequestError as error:
            await error_response(error, scope["path"])(scope, receive, send_with_headers)
            return
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight()(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def _cors(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED}


def _preflight() -> Response:
    allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": _TAKEN}
    return Response(status_code=204, headers={**allowed, "Access-Control-Max-Age": "600"})
