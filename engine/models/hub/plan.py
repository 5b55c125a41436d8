"""The files of a model on the hub that are needed, with their sizes and hashes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Literal

from engine.models.hub.asking import Waiting, answer_of
from engine.models.hub.control import Control
from engine.models.hub.endpoint import Endpoint
from engine.models.hub.error import HubError
from engine.models.hub.failures import Asker, no_hub
from engine.models.hub.library import api_of
from engine.models.hub.patience import Patience

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ModelInfo
    from huggingface_hub.hf_api import RepoSibling

_SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json")
_WHOLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"model-[0-9]+-of-[0-9]+\.safetensors")
_TEXT = re.compile(r"(README|LICEN[CS]E|NOTICE)(\.md|\.txt)?", re.IGNORECASE)
_LONGEST_TEXT = 2**20
_LONGEST_SETTINGS = 64 * 2**20
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_SHA = re.compile(r"[0-9a-f]{40}")
_HASHES = {"sha256": re.compile(r"[0-9a-f]{64}"), "git": _SHA}
_CONVERTER = "SFconvertbot"
"""The hub's account that opens pull requests with models converted to safetensors."""
_LOOKED_AT = 20
"""Most pull requests to search."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the hub.

    Attributes:
        name: File name without folder.
        size: Bytes.
        kind: `sha256`, or `git` (SHA-1 of the git blob).
        digest: The hash, hexadecimal.
    """

    name: str
    size: int
    kind: Literal["sha256", "git"]
    digest: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A model at one commit.

    Attributes:
        model: Its id, `owner/name`.
        revision: The requested branch, tag or commit.
        sha: The commit.
        licence: As the hub names it, e.g. `apache-2.0`; empty if unknown.
        modified: Time of its last change on the hub.
        files: The files to download, small ones first.
    """

    model: str
    revision: str
    sha: str
    licence: str
    modified: datetime | None
    files: tuple[RemoteFile, ...]

    @property
    def total(self) -> int:
        """Size of all files, bytes."""
        return sum(file.size for file in self.files)


def plan_of(
    asker: Asker, revision: str, token: str | None, control: Control, patience: Patience, waiting: Waiting
) -> Plan:
    """Ask the hub for a model's commit and files.

    Args:
        asker: The hub and the model.
        revision: Branch, tag, commit or `refs/pr/N`.
        token: The user's token, for a trusted hub.
        control: Cancels it from another thread.
        patience: Timeouts and retries.
        waiting: Receives the seconds until the next attempt when the hub is busy.

    Raises:
        HubError: the hub lacks the model, refuses it, or has no usable files of it.
        CancelledError: `control` was cancelled.
    """
    endpoint, model = asker.endpoint, asker.model
    api = api_of(endpoint, token)

    def ask() -> ModelInfo:
        return api.model_info(model, revision=revision, files_metadata=True, timeout=patience.answer)

    info = answer_of(ask, asker, control, patience, waiting)
    if not isinstance(info.sha, str) or not _SHA.fullmatch(info.sha):
        raise no_hub(endpoint)
    siblings = {each.rfilename: each for each in info.siblings or () if isinstance(each.rfilename, str)}
    needed = _needed(siblings)
    if not any(name.endswith(".safetensors") for name in needed):
        if not any(name.endswith(_PICKLES) for name in siblings):
            raise _useless(model, _WHOLE)
        raise _pickle_refused(model, answer_of(lambda: _converted(api, model), asker, control, patience, waiting))
    if _SETTINGS[0] not in needed:
        raise _useless(model, _SETTINGS[0])
    files = [_remote(siblings[name], endpoint) for name in needed]
    files = [file for file in files if file.size <= _LONGEST_TEXT or not _TEXT.fullmatch(file.name)]
    files.sort(key=lambda file: (file.name != _SETTINGS[0], file.size))
    return Plan(model, revision, info.sha, licence_of(info), info.last_modified, tuple(files))


def licence_of(info: ModelInfo) -> str:
    """Return the licence from the model card, else from the tags."""
    named = getattr(info.card_data, "license", None) or next(
        (tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:")), ""
    )
    return ", ".join(map(str, named)) if isinstance(named, list) else str(named)


def _needed(names: Iterable[str]) -> list[str]:
    """Return the files to download; only known names, so that no name leads out of the folder."""
    there = set(names)
    chosen = [name for name in _SETTINGS if name in there]
    if _WHOLE in there:
        chosen.append(_WHOLE)
    elif _INDEX in there:
        chosen += [_INDEX, *sorted(name for name in there if _SHARD.fullmatch(name))]
    return chosen + sorted(name for name in there if _TEXT.fullmatch(name))


def _remote(sibling: RepoSibling, endpoint: Endpoint) -> RemoteFile:
    kind: Literal["sha256", "git"] = "sha256" if sibling.lfs else "git"
    digest = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
    size = sibling.lfs.size if sibling.lfs else sibling.size
    if not isinstance(digest, str) or not _HASHES[kind].fullmatch(digest) or not isinstance(size, int) or size < 0:
        raise HubError(
            "hub_no_hash",
            "{endpoint} does not say how {file} can be checked, so it is not downloaded; use another hub_endpoint.",
            endpoint=endpoint.name,
            file=sibling.rfilename,
        )
    if sibling.rfilename.endswith(".json") and size > _LONGEST_SETTINGS:
        raise no_hub(endpoint)
    return RemoteFile(sibling.rfilename, size, kind, digest)


def _converted(api: HfApi, model: str) -> str:
    """Return the pull request that has a model's pickles as safetensors; empty if there is none."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        offers = api.get_repo_discussions(model, author=_CONVERTER, discussion_type="pull_request")
        for offer in islice(offers, _LOOKED_AT):
            if offer.author == _CONVERTER and "safetensors" in offer.title:
                converted = api.model_info(model, revision=f"refs/pr/{offer.num}")
                if any(each.rfilename == _WHOLE for each in converted.siblings or ()):
                    return f"refs/pr/{offer.num}"
    except HfHubHTTPError:  # discussions can be switched off, and mirrors may not have them
        pass
    return ""


def _pickle_refused(model: str, converted: str) -> HubError:
    if converted:
        return HubError(
            "hub_converted",
            "{model} is saved in a format that can run code when it is opened; its revision {revision} "
            "has it as safetensors: download that one.",
            model=model,
            revision=converted,
        )
    return HubError(
        "hub_pickle_only",
        "{model} is only there in a format that can run code when it is opened; have it converted at "
        "https://huggingface.co/spaces/safetensors/convert, then download the revision that this makes.",
        model=model,
    )


def _useless(model: str, file: str) -> HubError:
    return HubError(
        "hub_no_model",
        "{model} has no {file}, so it is no model that can be used here; choose another one.",
        model=model,
        file=file,
    )
