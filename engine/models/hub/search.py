"""Search for detection models on the hub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from engine.detect.families import FAMILIES
from engine.models.hub.asking import answer_of
from engine.models.hub.control import Control
from engine.models.hub.endpoint import Endpoint
from engine.models.hub.failures import Asker
from engine.models.hub.library import headers_for, silent_library, token_for
from engine.models.hub.patience import Patience
from engine.models.hub.plan import licence_of

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

_TASK = "object-detection"
_WANTED = ("config", "downloads", "gated", "lastModified", "library_name", "likes", "private", "tags", "cardData")
_PATIENCE = Patience(attempts=2, asked=5.0)


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model found by a search.

    Attributes:
        id: `owner/name`.
        downloads: Downloads in the last 30 days.
        likes: Number of likes.
        licence: As the hub names it, e.g. `apache-2.0`; empty if unknown.
        modified: Time of its last change; `None` if unknown.
        library: The library it is for, e.g. `transformers`; empty if unknown.
        gated: Whether terms must be accepted first.
        private: Whether it is visible to some accounts only.
        family: `model_type` of its config; empty if unknown.
        safetensors: Whether it has safetensors files.
    """

    id: str
    downloads: int
    likes: int
    licence: str
    modified: datetime | None
    library: str
    gated: bool
    private: bool
    family: str
    safetensors: bool

    @property
    def usable(self) -> bool:
        """Whether it can be downloaded and used, as far as the hub's data shows."""
        return self.family in FAMILIES and self.safetensors


def search(
    text: str,
    endpoint: Endpoint,
    limit: int = 50,
    control: Control | None = None,
    patience: Patience = _PATIENCE,
) -> list[HubModel]:
    """Search models by name, most downloads first.

    Args:
        text: Part of the name; empty matches all.
        endpoint: The hub.
        limit: Most models to return.
        control: Cancels it from another thread.
        patience: Timeouts and retries.

    Raises:
        HubError: the hub cannot be reached or does not answer.
        CancelledError: `control` was cancelled.
    """
    control = control or Control()
    token = answer_of(lambda: token_for(endpoint), Asker(endpoint), control, patience)
    query: list[tuple[str, str | int]] = [("pipeline_tag", _TASK), ("search", text.strip()), ("sort", "downloads")]
    query += [("limit", limit), *(("expand", name) for name in _WANTED)]

    def ask() -> list[HubModel]:
        # `HfApi.list_models` has no timeout and retries for half a minute without a network.
        library = silent_library()
        response = library.get_session().get(
            f"{endpoint.url}/api/models", params=query, headers=headers_for(token), timeout=patience.answer
        )
        library.utils.hf_raise_for_status(response)
        return [_found(library.ModelInfo(**each)) for each in response.json()[:limit]]

    return answer_of(ask, Asker(endpoint, signed_in=token is not None), control, patience)


def _found(info: ModelInfo) -> HubModel:
    tags = [tag for tag in info.tags or () if isinstance(tag, str)]
    config = info.config if isinstance(info.config, dict) else {}
    family = config.get("model_type") or next((tag for tag in tags if tag in FAMILIES), "")
    return HubModel(
        id=str(info.id),
        downloads=int(info.downloads or 0),
        likes=int(info.likes or 0),
        licence=licence_of(info),
        modified=info.last_modified,
        library=str(info.library_name or ""),
        gated=bool(info.gated),
        private=bool(info.private),
        family=str(family),
        safetensors="safetensors" in tags,
    )
