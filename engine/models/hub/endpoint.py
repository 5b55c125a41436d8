"""The address of the hub: the official one or a mirror."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.models.hub.error import HubError

OFFICIAL = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A hub's address.

    Attributes:
        url: Without trailing slash.
        trusted: Whether it gets the user's token: only the official hub and the one in `HF_ENDPOINT` (as in
            `huggingface_hub`) do, not a mirror from the setting `hub_endpoint`.
    """

    url: str = OFFICIAL
    trusted: bool = True

    @property
    def name(self) -> str:
        """The host name for messages."""
        return urlsplit(self.url).netloc[:100]


def endpoint_of(setting: str = "") -> Endpoint:
    """Return the hub of the setting `hub_endpoint`, else of `HF_ENDPOINT`, else the official one.

    Raises:
        HubError: the address is invalid.
    """
    named = _plain(os.environ.get("HF_ENDPOINT", ""))
    url = _checked(_plain(setting) or named or OFFICIAL)
    return Endpoint(url, trusted=url in (OFFICIAL, named))


def _plain(url: str) -> str:
    return url.strip().rstrip("/")


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        usable = usable and not parts.query and not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise HubError(
            "hub_endpoint",
            "The address of the hub cannot be used: {endpoint}; give one such as https://huggingface.co.",
            endpoint=url.rpartition("@")[2][:100],
        )
    return url
