"""Access rules: API key, Host header and origin; pure functions of a request's headers."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import ip_address

from starlette.datastructures import Headers

from engine.api.errors import DEEPSTACK_PATH, RequestError
from engine.settings import Settings

OPEN_PATHS = frozenset({"/", "/health", "/docs", "/openapi.json"})

_HOST = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^:\[\]]+)(?::\d{1,5})?")
_ORIGIN = re.compile(r"https?://([^/?#@]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Access:
    """The rules of one server.

    Attributes:
        key: What clients must send; `None` admits everyone.
        origins: Foreign origins that are allowed, lower case; `*` for all.
        hosts: Names that a Host header may have beside IP addresses, lower case; `*` for all.
    """

    key: str | None
    origins: frozenset[str]
    hosts: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> Access:
        """Build the rules from the settings."""
        key = settings.api_key.get_secret_value() if settings.api_key else None
        hosts = (*_own_names(), *settings.allow_hosts)
        return cls(key or None, _lower(*settings.allow_origins), _lower(*hosts))

    def check(self, method: str, path: str, headers: Headers) -> None:
        """Check a request; the key of DeepStack's endpoint is checked by its route, since it may be in the form.

        Raises:
            RequestError: `host_unknown`, `origin_refused` or `key_wrong`.
        """
        self._check_host(headers.get("host", ""))
        self._check_origin(headers)
        if method != "OPTIONS" and path not in OPEN_PATHS and path != DEEPSTACK_PATH:
            self.check_key(sent_key(headers))

    def check_key(self, sent: str) -> None:
        """Check a key, in constant time.

        Raises:
            RequestError: `key_wrong`.
        """
        if self.key is not None and not compare_digest(sent.encode("utf-8", "replace"), self.key.encode()):
            message = "This server asks for its API key; send it as Authorization: Bearer KEY or as x-api-key."
            raise RequestError("key_wrong", message)

    def allows_origin(self, origin: str) -> bool:
        """Return whether pages of a foreign origin are allowed."""
        return "*" in self.origins or origin.lower() in self.origins

    def _check_host(self, host: str) -> None:
        named = _HOST.fullmatch(host)
        name = named[1].rstrip(".").lower() if named else ""
        if not (name and ("*" in self.hosts or name in self.hosts or _is_address(name))):
            message = "The Host header does not name this server; use its IP address, or start it with --allow-host."
            raise RequestError("host_unknown", message, "Host")

    def _check_origin(self, headers: Headers) -> None:
        origin = headers.get("origin")
        if origin is None:
            embedded = headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"
            refused = embedded and "*" not in self.origins
        else:
            refused = not (_is_own(origin, headers.get("host", "")) or self.allows_origin(origin))
        if refused:
            message = "Pages of other sites may not ask this server; start it with --allow-origin to let them."
            raise RequestError("origin_refused", message, "Origin")


def sent_key(headers: Headers) -> str:
    """Return the key in a request's headers, or an empty text."""
    scheme, _, bearer = header_text(headers, "authorization").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else header_text(headers, "x-api-key")


def header_text(headers: Headers, name: str) -> str:
    """Return a header that may hold UTF-8; Starlette decodes headers as Latin-1."""
    return headers.get(name, "").encode("latin-1").decode("utf-8", "replace")


def _is_own(origin: str, host: str) -> bool:
    named = _ORIGIN.fullmatch(origin)
    return named is not None and named[1].lower() == host.lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _own_names() -> tuple[str, ...]:
    """Return this machine's names, without a network request."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    return "localhost", name, short, f"{short}.local"


def _lower(*names: str) -> frozenset[str]:
    return frozenset(name.lower().rstrip("/") for name in names)
