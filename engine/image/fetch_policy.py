"""What fetching an image may do."""

from __future__ import annotations

from dataclasses import dataclass

from engine.image.limits import MEBIBYTE


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What a fetch may do; the defaults are for URLs that strangers send.

    Attributes:
        allow_private: Connect to any address, private ones too.
        allowed_hosts: Host names and IP literals, lower case, that may have private addresses.
        use_proxy: Follow the environment's proxy and CA settings; a proxy makes the connection itself, so the
            address that it connects to cannot be checked. For URLs that the user typed.
        max_bytes: Size of the image, after decompression.
        seconds: Time for all of it.
        redirects: How many are followed.
    """

    allow_private: bool = False
    allowed_hosts: frozenset[str] = frozenset()
    use_proxy: bool = False
    max_bytes: int = 32 * MEBIBYTE
    seconds: float = 10.0
    redirects: int = 3
