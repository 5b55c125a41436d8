"""Whether asking the hub again may help, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from engine.models.hub.library import silent_library

AGAIN = (408, 429, 500, 502, 503, 504)
"""HTTP status codes that may be gone in a moment."""


def status_of(error: BaseException) -> int | None:
    """The HTTP status of an answer that was an error."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def asked_wait(error: BaseException) -> float | None:
    """Seconds that the answer asks to wait: `Retry-After` (a number or a date), or the hub's own `RateLimit`."""
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
    """Whether asking again may help: a connection that broke, a server that is busy or fell over."""
    import httpx2

    status = status_of(error)
    if status is not None:
        return status in AGAIN
    lasting = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
    return isinstance(error, (httpx2.TransportError, TimeoutError)) and not isinstance(error, lasting)
