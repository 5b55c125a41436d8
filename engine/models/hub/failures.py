"""Conversion of hub and connection errors to sentences that say what to do."""

from __future__ import annotations

import ssl
from typing import NamedTuple

from engine.models.hub.again import asked_wait, status_of
from engine.models.hub.endpoint import Endpoint
from engine.models.hub.error import HubError

_MISREAD = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""Exceptions of huggingface_hub for a malformed answer."""


class Asker(NamedTuple):
    """The parts of a request that messages name.

    Attributes:
        endpoint: The hub.
        model: The model's id; empty for a search.
        signed_in: Whether a token was sent.
    """

    endpoint: Endpoint
    model: str = ""
    signed_in: bool = False


def explained(error: BaseException, asker: Asker) -> HubError:
    """Convert an exception; the sentence never contains the token, a file's URL or the server's text.

    Raises:
        BaseException: the error itself, if it is a bug and not caused by the hub or the network.
    """
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return HubError(
            "hub_offline",
            "The hub is not asked because HF_HUB_OFFLINE is set; unset it to search and download.",
        )
    status = status_of(error)
    if status is not None:
        return _refused(error, status, asker)
    if isinstance(error, (TimeoutError, httpx2.TimeoutException)):
        return HubError(
            "hub_timeout",
            "{endpoint} does not answer; check the network, or set another hub_endpoint. "
            "Models on this machine work as ever.",
            endpoint=asker.endpoint.name,
        )
    if any(isinstance(cause, ssl.SSLError) for cause in _causes(error)):
        return HubError(
            "hub_certificate",
            "The certificate of {endpoint} is not accepted; check the clock and the proxy of this machine.",
            endpoint=asker.endpoint.name,
        )
    if isinstance(error, httpx2.TransportError):
        return HubError(
            "hub_unreachable",
            "{endpoint} cannot be reached; check the network, or set another hub_endpoint. "
            "Models on this machine work as ever.",
            endpoint=asker.endpoint.name,
        )
    if not isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL, *_MISREAD)):
        raise error
    return no_hub(asker.endpoint)


def no_hub(endpoint: Endpoint) -> HubError:
    """Return the error for an answer that does not come from a hub."""
    return HubError(
        "hub_answer",
        "{endpoint} does not answer as a hub does; check the address that is set as hub_endpoint.",
        endpoint=endpoint.name,
    )


def _refused(error: BaseException, status: int, asker: Asker) -> HubError:
    from huggingface_hub.errors import GatedRepoError, RevisionNotFoundError

    if isinstance(error, GatedRepoError):
        return HubError(
            "hub_gated",
            "{model} is given to those who accept its terms: accept them at {url} and sign in with: hf auth login.",
            model=asker.model,
            url=f"{asker.endpoint.url}/{asker.model}",
        )
    if isinstance(error, RevisionNotFoundError):
        return HubError(
            "hub_revision", "{model} has no such revision; leave it out to get the newest.", model=asker.model
        )
    if status == 401:
        return _unknown_here(asker)
    if status == 403:
        return HubError(
            "hub_forbidden",
            "{endpoint} does not let you read {model}; ask its owner, or use a token that may read it.",
            endpoint=asker.endpoint.name,
            model=asker.model or asker.endpoint.name,
        )
    if status == 404:
        return HubError(
            "hub_not_found",
            "{endpoint} has no model {model}; check the name, which reads owner/name.",
            endpoint=asker.endpoint.name,
            model=asker.model or "?",
        )
    if status == 429:
        return HubError(
            "hub_busy",
            "{endpoint} takes no more requests from here for now; try again in {seconds} s, or sign in.",
            endpoint=asker.endpoint.name,
            seconds=round(asked_wait(error) or 60),
        )
    return HubError(
        "hub_failed",
        "{endpoint} failed (HTTP status {status}); try again later.",
        endpoint=asker.endpoint.name,
        status=status,
    )


def _unknown_here(asker: Asker) -> HubError:
    """Return the error for 401, which the hub also sends for models that do not exist."""
    if asker.signed_in:
        return HubError(
            "hub_token_refused",
            "{endpoint} does not accept your token; sign in again with: hf auth login.",
            endpoint=asker.endpoint.name,
        )
    return HubError(
        "hub_private",
        "{endpoint} shows {model} to nobody unknown: it is private or does not exist; check the name, "
        "or sign in with: hf auth login.",
        endpoint=asker.endpoint.name,
        model=asker.model or "?",
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
