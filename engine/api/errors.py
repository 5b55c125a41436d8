"""Errors as HTTP responses: status, OpenAI's envelope, and `detail` for older clients."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from engine.errors import DetectionError, EngineError, ModelError

DEEPSTACK_PATH = "/v1/vision/detection"
BAD_REQUEST, CLIENT_GONE, INTERNAL, UNAVAILABLE = 400, 499, 500, 503
_LONGEST_MESSAGE = 1000

_STATUS = {
    "cancelled": CLIENT_GONE,
    "key_wrong": 401,
    "url_refused": 403,
    "origin_refused": 403,
    "model_not_found": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "body_too_slow": 408,
    "body_too_large": 413,
    "too_many_bytes": 413,
    "too_many_pixels": 413,
    "too_many_images": 413,
    "too_much_json": 413,
    "not_an_image": 415,
    "image_empty": 415,
    "heic_unsupported": 415,
    "image_unsupported": 415,
    "lfs_pointer": 415,
    "host_unknown": 421,
    "image_truncated": 422,
    "bug": INTERNAL,
    "host_not_found": 502,
    "fetch_failed": 502,
    "too_many_redirects": 502,
    "queue_full": 503,
    "no_model": 503,
    "fetch_timeout": 504,
}
_RETRY_AFTER = "2"
_UNREAD_BODY = {408, 413}
_BUG = "Something went wrong inside the server; its log says what."


class RequestError(EngineError):
    """A request that cannot be understood or answered.

    Attributes:
        param: The field of the request that is wrong, or `None`.
    """

    def __init__(self, code: str, template: str, param: str | None = None, **values: object) -> None:
        super().__init__(code, template, **values)
        self.param = param


def status_of(error: EngineError) -> int:
    """Return the HTTP status: 503 where a model cannot answer, 400 where the request is wrong."""
    default = UNAVAILABLE if isinstance(error, ModelError | DetectionError) else BAD_REQUEST
    return _STATUS.get(error.code, default)


def error_response(error: EngineError, path: str = "") -> JSONResponse:
    """Build the response to a request for `path` that failed with `error`."""
    status = status_of(error)
    message = error.message[:_LONGEST_MESSAGE]
    param = error.param if isinstance(error, RequestError) else None
    envelope = {"message": message, "type": _type_of(status), "param": param, "code": error.code}
    answer = {"error": envelope, "detail": message} | ({"success": False} if path == DEEPSTACK_PATH else {})
    return JSONResponse(answer, status, _headers(status))


def bug_response(error: Exception, path: str = "") -> JSONResponse:
    """Log an unexpected exception and build the response."""
    logging.getLogger("detrdesk.server").error("A request met a bug.", exc_info=error)
    return error_response(EngineError("bug", _BUG), path)


def from_http(error: HTTPException) -> EngineError:
    """Convert an error of the framework: unknown path or method, or an unreadable body."""
    if error.status_code == 404:
        return EngineError("not_found", "There is nothing at this path; /docs shows what there is.")
    if error.status_code == 405:
        return EngineError("method_not_allowed", "This path does not take that method; /docs shows which it takes.")
    return EngineError("bad_request", "The request cannot be read; /docs shows what it looks like.")


def _type_of(status: int) -> str:
    if status == 401:
        return "authentication_error"
    return "server_error" if status >= INTERNAL else "invalid_request_error"


def _headers(status: int) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status in _UNREAD_BODY:
        return {"Connection": "close"}
    return {"Retry-After": _RETRY_AFTER} if status == UNAVAILABLE else {}
