"""Limits and permissions of a fetch."""

from __future__ import annotations

from dataclasses import dataclass

from engine.image.limits import MEBIBYTE


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Limits and permissions of a fetch; the defaults suit URLs from untrusted clients.

    Attributes:
        allow_private: Allow private addresses.
        allowed_hosts: Host names and IP literals, lower case, that may have private addresses.
        use_proxy: Use the proxy and CA settings of the environment. A proxy makes the connection itself, so the
            address cannot be checked: for URLs that the user typed only.
        max_bytes: Largest body after decompression.
        seconds: Time limit of the whole fetch.
        redirects: Largest number of redirects.
    """

    allow_private: bool = False
    allowed_hosts: frozenset[str] = frozenset()
    use_proxy: bool = False
    max_bytes: int = 32 * MEBIBYTE
    seconds: float = 10.0
    redirects: int = 3
