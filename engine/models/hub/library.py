"""`huggingface_hub`, imported when first needed and kept from calling home."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING

from engine import __version__
from engine.models.hub.endpoint import Endpoint
from engine.models.hub.error import HubError

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def silent_library() -> ModuleType:
    """Import the library with telemetry off; else it asks the hub about callers and sends them as user agent."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import huggingface_hub.utils
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True  # it may have been imported before
    return huggingface_hub


def token_for(endpoint: Endpoint) -> str | None:
    """The user's token (`HF_TOKEN`, or the file that `hf auth login` writes) where this endpoint may have it.

    Raises:
        HubError: there is one that cannot be read or sent.
    """
    library = silent_library()
    from huggingface_hub import constants
    from huggingface_hub.errors import OIDCError

    if not endpoint.trusted or constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        return None
    try:
        token = library.get_token()
    except (OSError, ValueError, OIDCError):
        token = ""
    if token is None:
        return None
    if not token or not (token.isascii() and token.isprintable()) or " " in token:
        # Neither the cause nor the value may be seen: the error of a bad header quotes it.
        raise HubError(
            "hub_token_unreadable", "Your token for the hub cannot be read; sign in again with: hf auth login."
        ) from None
    return str(token)


def headers_for(token: str | None) -> dict[str, str]:
    """Return the headers of a request: user agent and token."""
    made = silent_library().utils.build_hf_headers(
        token=token or False, library_name="detrdesk", library_version=__version__
    )
    return dict(made)


def api_of(endpoint: Endpoint, token: str | None) -> HfApi:
    """The library's own client of this endpoint."""
    silent_library()
    from huggingface_hub import HfApi

    return HfApi(endpoint.url, token=token or False, library_name="detrdesk", library_version=__version__)
