"""Finding the images of an HTML fragment."""

from __future__ import annotations

from html.parser import HTMLParser


def image_addresses(html: str) -> list[str]:
    """Return the addresses of its images, each once, in order; those without a scheme get https."""
    found = _ImageAddresses()
    found.feed(html)
    return list(dict.fromkeys(found.addresses))


class _ImageAddresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = (dict(attrs).get("src") or "").strip()
        if tag == "img" and address:
            self.addresses.append(f"https:{address}" if address.startswith("//") else address)
