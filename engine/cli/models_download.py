"""`detrdesk models download`: a model from the hub, with a name at the end."""

from __future__ import annotations

import argparse
import sys

from engine.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED
from engine.models.catalog.catalog import Catalog
from engine.models.hub.download import download, model_id
from engine.models.hub.endpoint import endpoint_of
from engine.models.hub.error import HubError
from engine.models.hub.progress import Progress
from engine.settings import load_settings

_DOING = {"asking": "asking the hub", "paused": "paused", "checking": "checking what is here", "done": "done"}


def run_download(given: argparse.Namespace) -> int:
    """Bring a model; where the user stops it, what was downloaded stays and the next time goes on from there."""
    endpoint = endpoint_of(load_settings().hub_endpoint)
    catalog = Catalog()
    if catalog.problem is not None:
        raise catalog.problem
    known = next((entry for entry in catalog.entries if entry.kind == "hub" and entry.name == given.model), None)
    model = known.place if known else model_id(given.model, endpoint)
    revision = given.revision or (known.revision if known else "")
    tell = _Line(sys.stderr.isatty())
    try:
        download(model, endpoint, revision or "main", tell.show)
    except KeyboardInterrupt:
        tell.end()
        print("detrdesk: stopped; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    except HubError as error:
        tell.end()
        print(f"detrdesk: {error.message}", file=sys.stderr)
        return SOME_FAILED
    tell.end()
    print(catalog.add(model, given.name, revision=revision))
    return DONE


class _Line:
    """How far it is: in one line of a terminal, else a line every tenth."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._told = ""
        self._tenth = -1

    def show(self, progress: Progress) -> None:
        """See `engine.models.hub.progress.Tell`."""
        text = _words(progress)
        if self._is_terminal:
            print(f"\r{text:<{len(self._told)}}", end="", file=sys.stderr, flush=True)
            self._told = text
        elif self._is_new(progress):
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal and self._told:
            print(file=sys.stderr)

    def _is_new(self, progress: Progress) -> bool:
        tenth = progress.done * 10 // progress.total if progress.total else -1
        state = f"{progress.state}{tenth}"
        former, self._told = self._told, state
        return state != former


def _words(progress: Progress) -> str:
    if progress.state == "waiting":
        return f"waiting {progress.retry_in or 0:.0f} s to try again"
    if progress.state != "downloading":
        return _DOING[progress.state]
    left = progress.seconds_left
    parts = [f"{progress.done / 1e6:.1f} of {progress.total / 1e6:.1f} MB", f"{progress.rate / 1e6:.1f} MB/s"]
    return ", ".join([*parts, *([f"{left:.0f} s left"] if left is not None else []), progress.file])
