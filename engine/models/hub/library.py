"""`huggingface_hub`, imported when first needed, with telemetry off."""

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
    """Import `huggingface_hub` with telemetry off, so that its user agent does not name the calling program."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import huggingface_hub.utils
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True  # it may have been imported before
    return huggingface_hub


def token_for(endpoint: Endpoint) -> str | None:
    """Return the user's token (`HF_TOKEN`, or the file of `hf auth login`) for a trusted endpoint, else `None`.

    Raises:
        HubError: the token cannot be read, or is not valid in a header.
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
        # Suppress the cause: the error of an invalid header quotes the token.
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
    """Return the library's client for this endpoint."""
    silent_library()
    from huggingface_hub import HfApi

    return HfApi(endpoint.url, token=token or False, library_name="detrdesk", library_version=__version__)
