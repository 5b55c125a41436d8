"""Download of one file: resumed, retried, and verified before it is renamed."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.models.hub.again import is_passing, status_of
from engine.models.hub.asking import wait_out
from engine.models.hub.background import items_of
from engine.models.hub.control import Control, PausedError
from engine.models.hub.error import HubError
from engine.models.hub.failures import Asker, explained
from engine.models.hub.library import headers_for, silent_library
from engine.models.hub.part_file import PartFile
from engine.models.hub.patience import Patience
from engine.models.hub.plan import RemoteFile
from engine.models.hub.progress import Meter

if TYPE_CHECKING:
    import httpx2

_RANGE = re.compile(r"bytes ([0-9]+)-")


class _CutError(Exception):
    """The response ended early, or has another range than requested."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """The settings shared by all files of a download.

    Attributes:
        asker: The hub and the model.
        sha: The commit.
        token: Sent to the hub, not to redirect targets.
        control: Pauses and cancels it.
        patience: Timeouts and retries.
        meter: Counts the bytes.
    """

    asker: Asker
    sha: str
    token: str | None
    control: Control
    patience: Patience
    meter: Meter

    def fetch(self, file: RemoteFile, folder: Path) -> None:
        """Download a file into a folder.

        Raises:
            HubError: the hub refuses, breaks off repeatedly, or sends other content.
            WriteError: the folder cannot be written.
            CancelledError: `control` was cancelled.
        """
        self.meter.file = file.name
        self.meter.say("checking")
        with PartFile(folder, file) as part:
            part.take_up(self.control.check)
            self.meter.found(part.size)
            kept = part.size
            self._complete(part, file)
            if not part.right and kept:
                # The bytes of an earlier download may be wrong: start anew.
                self._restart(part)
                self._complete(part, file)
            if not part.right:
                self._drop(part)
                raise self._wrong(file)
            part.finish()
        self.meter.file = ""

    def _complete(self, part: PartFile, file: RemoteFile) -> None:
        """Request and append until the file is complete."""
        failures = 0
        while not part.whole:
            before = part.size
            try:
                self._receive(part, file)
                if not part.whole:
                    raise _CutError
            except PausedError:
                self.meter.say("paused")
                self.control.rest()
            except EngineError:
                raise
            except Exception as error:
                failures = 1 if part.size > before else failures + 1
                self._wait_or_raise(error, failures, file)

    def _wait_or_raise(self, error: Exception, failures: int, file: RemoteFile) -> None:
        """Wait before the next attempt, or raise if there should be none."""
        if not isinstance(error, _CutError) and not is_passing(error):
            raise explained(error, self.asker) from error
        if failures > self.patience.attempts and status_of(error) is None:
            raise HubError(
                "hub_interrupted",
                "{endpoint} breaks off before {file} is complete; download {model} again to go on from there.",
                endpoint=self.asker.endpoint.name,
                file=file.name,
                model=self.asker.model,
            ) from error
        wait_out(
            error,
            failures,
            self.asker,
            self.control,
            self.patience,
            lambda seconds: self.meter.say("waiting", seconds),
        )

    def _receive(self, part: PartFile, file: RemoteFile) -> None:
        """Append the content of one response."""
        start = part.size
        pieces = items_of(
            lambda: self._pieces(file, start), self.control.check_running, self.patience.silence + self.patience.connect
        )
        with closing(pieces):
            for at, piece in pieces:
                if at != part.size:
                    self._restart(part)
                    if at:
                        raise _CutError
                if part.size + len(piece) > file.size:
                    self._drop(part)
                    raise self._wrong(file)
                part.append(piece)
                self.meter.got(len(piece))

    def _pieces(self, file: RemoteFile, start: int) -> Generator[tuple[int, bytes]]:
        """Yield chunks of the file with their offsets; runs in a separate thread."""
        library = silent_library()
        import httpx2

        patience = self.patience
        url = library.hf_hub_url(self.asker.model, file.name, revision=self.sha, endpoint=self.asker.endpoint.url)
        headers = headers_for(self.token) | {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        limits = httpx2.Timeout(patience.silence, connect=patience.connect)
        # The client drops the token when redirected to another origin.
        with library.get_session().stream("GET", url, headers=headers, timeout=limits) as response:
            library.utils.hf_raise_for_status(response)
            at = _start(response)
            for piece in response.iter_raw():
                yield at, piece
                at += len(piece)

    def _restart(self, part: PartFile) -> None:
        self.meter.found(-part.size)
        part.restart()

    def _drop(self, part: PartFile) -> None:
        self.meter.found(-part.size)
        part.discard()

    def _wrong(self, file: RemoteFile) -> HubError:
        return HubError(
            "hub_wrong_hash",
            "{file} of {model} did not come as {endpoint} announced it and was removed; download it again, "
            "or use another hub_endpoint.",
            file=file.name,
            model=self.asker.model,
            endpoint=self.asker.endpoint.name,
        )


def _start(response: httpx2.Response) -> int:
    """Return the file offset at which the response's body begins."""
    if response.status_code != 206:
        return 0
    found = _RANGE.match(response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1
