"""Fetching of images over HTTP, with protection against server-side request forgery."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import requests
from requests.utils import select_proxy, should_bypass_proxies
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from engine.errors import SourceError
from engine.image.addresses import is_public
from engine.image.fetch_policy import FetchPolicy
from engine.image.limits import too_many_bytes
from engine.image.pinned import Address, PinnedAdapter
from engine.image.watchdog import DeadlineError, Watchdog

Resolve = Callable[..., list[Any]]
"""Has the signature of `socket.getaddrinfo`."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\xa0\u2028\u2029\\]|[\ud800-\udfff]")
_AUTHORITY = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
_HEADERS = {"User-Agent": "detrdesk", "Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}
_CHUNK = 65_536
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class _Target:
    url: str
    host: str
    port: int

    @property
    def name(self) -> str:
        """The host, shortened for messages."""
        return self.host[:_LONGEST_NAME]


class _Session(requests.Session):
    """A session that neither follows redirects nor reads their bodies."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def fetch_url(
    url: str,
    policy: FetchPolicy,
    resolve: Resolve = socket.getaddrinfo,
    cancelled: Callable[[], bool] = lambda: False,
) -> bytes:
    """Fetch a URL and return the decompressed body.

    Each host is resolved once, all its addresses are checked, and the connection goes to a checked address.

    Args:
        url: An http or https URL.
        policy: Allowed addresses, limits of size, time and redirects.
        resolve: Resolves a host; called once per redirect.
        cancelled: Return true to give up; called every 50 ms, also from another thread.

    Raises:
        SourceError: `url_not_http`, `url_refused`, `host_not_found`, `fetch_failed`, `fetch_timeout`,
            `too_many_bytes` or `too_many_redirects`.
        CancelledError: `cancelled` returned true.
    """
    first = target = _target(url)
    with Watchdog(policy.seconds, cancelled) as watchdog:
        for _ in range(policy.redirects + 1):
            answer = _ask(target, policy, resolve, watchdog)
            if isinstance(answer, bytes):
                return answer
            target = _target(answer)
    raise SourceError(
        "too_many_redirects",
        "{host} redirects more than {limit} times; give the image's own address.",
        host=first.name,
        limit=policy.redirects,
    )


def _target(url: str) -> _Target:
    authority = _AUTHORITY.match(url)
    if authority is None or {"@", " "} & set(authority[1]) or _UNSAFE.search(url):
        raise _not_http()
    try:
        parsed = parse_url(url.replace(" ", "%20"))
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
    except (LocationParseError, ValueError) as error:
        raise _not_http() from error
    if not parsed.host or parsed.auth is not None or parsed.scheme not in {"http", "https"}:
        raise _not_http()
    return _Target(parsed.url, parsed.host.strip("[]").lower(), port)


def _not_http() -> SourceError:
    message = "Give an address that begins with http:// or https:// and has no user name or backslash."
    return SourceError("url_not_http", message)


def _ask(target: _Target, policy: FetchPolicy, resolve: Resolve, watchdog: Watchdog) -> bytes | str:
    """Send one request; return the body, or the URL that the response redirects to."""
    try:
        watchdog.check()
        with _Session() as session:
            _prepare(session, target, policy, resolve, watchdog)
            with session.get(
                target.url, headers=_HEADERS, stream=True, allow_redirects=False, timeout=watchdog.remaining
            ) as response:
                watchdog.check()
                location = requests.Session.get_redirect_target(session, response)
                return _joined(target.url, location) if location else _body(response, target, policy, watchdog)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise _explained(error, target, policy, watchdog) from error
    except DeadlineError as error:
        raise _timeout(target, policy) from error


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise _not_http() from error


def _explained(error: Exception, target: _Target, policy: FetchPolicy, watchdog: Watchdog) -> SourceError:
    """Translate a failure of the connection: deadline, timeout or a fault of the host.

    Raises:
        CancelledError: The fetch was cancelled.
    """
    try:
        watchdog.check()
    except DeadlineError:
        return _timeout(target, policy)
    if isinstance(error, requests.Timeout):
        return _timeout(target, policy)
    if isinstance(error, requests.exceptions.SSLError):
        return _failed(target, "its certificate or encryption is not accepted")
    if isinstance(error, requests.exceptions.ProxyError):
        return _failed(target, "the proxy does not respond")
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        return _failed(target, "the response was cut off")
    return _failed(target, "no connection")


def _prepare(
    session: requests.Session, target: _Target, policy: FetchPolicy, resolve: Resolve, watchdog: Watchdog
) -> None:
    """Restrict the session to the checked addresses of the target, or to the user's proxy."""
    session.trust_env = policy.use_proxy
    session.auth = _no_credentials
    proxied = policy.use_proxy and _proxy_of(target.url) is not None
    try:
        addresses = _addresses(target, resolve, watchdog)
    except SourceError:
        if not proxied:
            raise
        addresses = []
    if not (policy.allow_private or target.host.rstrip(".") in policy.allowed_hosts) and not all(
        is_public(address[0]) for _, address in addresses
    ):
        message = "The address of {host} is not allowed; use an image on a public address, or allow the host."
        raise SourceError("url_refused", message, host=target.name)
    adapter = PinnedAdapter(addresses, watchdog)
    session.mount("http://", adapter)
    session.mount("https://", adapter)


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from sending credentials from `.netrc`."""
    return request


def _proxy_of(url: str) -> str | None:
    if should_bypass_proxies(url, no_proxy=None):
        return None
    return select_proxy(url, requests.utils.get_environ_proxies(url))


def _addresses(target: _Target, resolve: Resolve, watchdog: Watchdog) -> list[Address]:
    """Resolve the host of the target in another thread, since `getaddrinfo` has no timeout."""
    found: list[Address] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            answers = resolve(target.host, target.port, type=socket.SOCK_STREAM)
            found.extend((answer[0], answer[4]) for answer in answers)
        except (OSError, UnicodeError):
            pass
        finally:
            done.set()

    threading.Thread(target=look_up, name="fetch-resolve", daemon=True).start()
    watchdog.wait(done)
    if not found:
        raise SourceError("host_not_found", "The host {host} was not found; check the address.", host=target.name)
    return found


def _body(response: requests.Response, target: _Target, policy: FetchPolicy, watchdog: Watchdog) -> bytes:
    if not 200 <= response.status_code < 300:
        raise _failed(target, f"HTTP status {response.status_code}")
    declared = response.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared[:20]) > policy.max_bytes:
        raise too_many_bytes(SourceError, policy.max_bytes)
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        watchdog.check()
        body += chunk
        if len(body) > policy.max_bytes:
            raise too_many_bytes(SourceError, policy.max_bytes)
    watchdog.check()
    return bytes(body)


def _failed(target: _Target, reason: str) -> SourceError:
    message = "{host} did not send the image ({reason}); check the address and try again."
    return SourceError("fetch_failed", message, host=target.name, reason=reason)


def _timeout(target: _Target, policy: FetchPolicy) -> SourceError:
    message = "{host} did not send the image within {seconds} seconds; try again later."
    return SourceError("fetch_timeout", message, host=target.name, seconds=f"{policy.seconds:g}")
