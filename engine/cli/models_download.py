"""`detrdesk models download`: downloads from the Hugging Face Hub."""

from __future__ import annotations

import argparse
import sys

from engine.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED
from engine.cli.models_convert import convert_added
from engine.cli.progress_line import ProgressLine
from engine.models.catalog.catalog import Catalog
from engine.models.hub.download import download, model_id
from engine.models.hub.endpoint import endpoint_of
from engine.models.hub.error import HubError
from engine.models.hub.progress import Progress
from engine.settings import load_settings

_DOING = {"asking": "asking the hub", "paused": "paused", "checking": "checking what is here", "done": "done"}


def run_download(given: argparse.Namespace) -> int:
    """Download a model, add it to the catalog and convert it; a download that was stopped can be resumed."""
    endpoint = endpoint_of(load_settings().hub_endpoint)
    catalog = Catalog()
    if catalog.problem is not None:
        raise catalog.problem
    known = next((entry for entry in catalog.entries if entry.kind == "hub" and entry.name == given.model), None)
    model = known.place if known else model_id(given.model, endpoint)
    revision = given.revision or (known.revision if known else "")
    line = ProgressLine()
    try:
        download(model, endpoint, revision or "main", lambda progress: line.show(_words(progress), _step(progress)))
    except KeyboardInterrupt:
        line.end()
        print("detrdesk: stopped; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    except HubError as error:
        line.end()
        print(f"detrdesk: {error.message}", file=sys.stderr)
        return SOME_FAILED
    line.end()
    name = catalog.add(model, given.name, revision=revision)
    print(name, flush=True)
    return convert_added(name) if given.convert else DONE


def _step(progress: Progress) -> tuple[str, int]:
    """Return the state and the tenth of the bytes that are here."""
    return progress.state, progress.done * 10 // progress.total if progress.total else -1


def _words(progress: Progress) -> str:
    if progress.state == "waiting":
        return f"waiting {progress.retry_in or 0:.0f} s to try again"
    if progress.state != "downloading":
        return _DOING[progress.state]
    left = progress.seconds_left
    parts = [f"{progress.done / 1e6:.1f} of {progress.total / 1e6:.1f} MB", f"{progress.rate / 1e6:.1f} MB/s"]
    return ", ".join([*parts, *([f"{left:.0f} s left"] if left is not None else []), progress.file])
