"""Download of a model into a partial folder, renamed when complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.detect.families import FAMILIES
from engine.errors import CancelledError, ModelError
from engine.models.hub.asking import answer_of
from engine.models.hub.control import Control
from engine.models.hub.endpoint import OFFICIAL, Endpoint
from engine.models.hub.error import HubError
from engine.models.hub.failures import Asker
from engine.models.hub.folders import ModelFolders
from engine.models.hub.library import silent_library, token_for
from engine.models.hub.patience import Patience
from engine.models.hub.plan import Plan, plan_of
from engine.models.hub.progress import Meter, Progress, Tell
from engine.models.hub.record import record_of
from engine.models.hub.transfer import Transfer


def _quiet(progress: Progress) -> None:
    """Ignore progress."""


def download(
    model: str,
    endpoint: Endpoint,
    revision: str = "main",
    progress: Tell = _quiet,
    control: Control | None = None,
    patience: Patience | None = None,
    folders: ModelFolders | None = None,
) -> Path:
    """Download a model from the hub; return when it is complete.

    Resumes an interrupted download. The revision is resolved to a commit first; both are recorded.

    Args:
        model: Its id, `owner/name`, or the URL of its page.
        endpoint: The hub.
        revision: Branch, tag, commit or `refs/pr/N`.
        progress: Receives the progress, in this thread, at most ten times a second.
        control: Pauses, resumes and cancels it from another thread.
        patience: Timeouts and retries.
        folders: Destination; by default the user's models folder.

    Returns:
        The checkpoint folder, `OWNER--NAME`.

    Raises:
        HubError: the hub refuses it, or sends other files than announced; each case has its code (`hub_...`).
        ModelError: its family is not supported.
        WriteError: it cannot be written.
        CancelledError: `control` was cancelled.
    """
    control, patience, folders = control or Control(), patience or Patience(), folders or ModelFolders()
    model = model_id(model, endpoint)
    meter = Meter(progress)
    with folders.locked(model):
        meter.say("asking")
        token = answer_of(lambda: token_for(endpoint), Asker(endpoint), control, patience)
        asker = Asker(endpoint, model, token is not None)
        plan = plan_of(asker, revision, token, control, patience, lambda wait: meter.say("waiting", wait))
        meter.total = plan.total
        if folders.has(plan):
            meter.found(plan.total)
        else:
            _fetch(plan, Transfer(asker, plan.sha, token, control, patience, meter), folders)
            folders.put_in_place(model)
        meter.say("done")
    return folders.final(model)


def model_id(given: str, endpoint: Endpoint) -> str:
    """Return the id of a model given by its id or the URL of its page.

    Raises:
        HubError: it is neither.
    """
    validate_repo_id = silent_library().utils.validate_repo_id
    from huggingface_hub.errors import HFValidationError

    model = given.strip()
    for url in (endpoint.url, OFFICIAL):
        model = model.removeprefix(f"{url}/")
    model = model.rstrip("/")
    try:
        validate_repo_id(model)
    except HFValidationError as error:
        raise HubError(
            "hub_id", "{model} is no name of a model on the hub; it reads owner/name.", model=given[:100]
        ) from error
    return model


def _fetch(plan: Plan, transfer: Transfer, folders: ModelFolders) -> None:
    """Download all files into the partial folder."""
    with _dropped_when_cancelled(folders.partial(plan.model), transfer.control):
        partial = folders.prepare(record_of(plan, transfer.asker.endpoint.url))
        for file in plan.files:
            transfer.fetch(file, partial)
            if file.name == "config.json":
                _check_family(partial, plan.model)


@contextmanager
def _dropped_when_cancelled(partial: Path, control: Control) -> Iterator[None]:
    try:
        yield
    except CancelledError:
        if not control.keeps:
            shutil.rmtree(partial, ignore_errors=True)
        raise


def _check_family(partial: Path, model: str) -> None:
    """Refuse an unusable model before its large files are downloaded."""
    try:
        config = json.loads((partial / "config.json").read_text("utf-8-sig"))
        family = config.get("model_type") if isinstance(config, dict) else None
    except (OSError, ValueError, RecursionError):
        family = None
    if not isinstance(family, str) or family not in FAMILIES:
        shutil.rmtree(partial, ignore_errors=True)
        raise ModelError(
            "family_unknown",
            "The model {model} is of the kind {family}, which cannot be used here; known are {known}.",
            model=model,
            family=family,
            known=", ".join(sorted(FAMILIES)),
        )
