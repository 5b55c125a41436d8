"""Which failed requests to the hub are retried, and after what time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from engine.models.hub.library import silent_library

AGAIN = (408, 429, 500, 502, 503, 504)
"""HTTP status codes of temporary failures."""


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of a failed request."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def asked_wait(error: BaseException) -> float | None:
    """Return the seconds to wait by `Retry-After` (a number or a date) or the hub's `RateLimit` header."""
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    if given:
        return _seconds_until(given)
    limit = silent_library().utils.parse_ratelimit_headers(headers)
    return float(limit.reset_in_seconds) if limit is not None and limit.remaining == 0 else None


def _seconds_until(date: str) -> float | None:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)


def is_passing(error: BaseException) -> bool:
    """Return whether a retry may help: a broken connection, a busy or failed server."""
    import httpx2

    status = status_of(error)
    if status is not None:
        return status in AGAIN
    lasting = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
    return isinstance(error, (httpx2.TransportError, TimeoutError)) and not isinstance(error, lasting)
