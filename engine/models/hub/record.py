"""The origin of a downloaded model, kept in its folder as `hub.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.models.hub.plan import Plan, RemoteFile
from engine.storage.atomic import write_atomic

NAME = "hub.json"
_LONGEST = 2**20


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """Origin of a downloaded model.

    Attributes:
        model: Its id on the hub.
        endpoint: Address of the hub.
        revision: The requested branch, tag or commit.
        sha: The commit.
        licence: As the hub names it; empty if unknown.
        begun: Start of its download, ISO 8601, UTC.
        files: Its files and their hashes.
    """

    model: str
    endpoint: str
    revision: str
    sha: str
    licence: str
    begun: str
    files: tuple[RemoteFile, ...]

    @property
    def total(self) -> int:
        """Size of all files, bytes."""
        return sum(file.size for file in self.files)


def record_of(plan: Plan, endpoint: str) -> DownloadRecord:
    """Return the record of a download that begins now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return DownloadRecord(plan.model, endpoint, plan.revision, plan.sha, plan.licence, now, plan.files)


def write_record(folder: Path, record: DownloadRecord) -> None:
    """Write the record into the model's folder.

    Raises:
        WriteError: it cannot be written.
    """
    write_atomic(folder / NAME, json.dumps(asdict(record), indent=1, ensure_ascii=False).encode())


def read_record(folder: Path) -> DownloadRecord | None:
    """Read the record of a folder; `None` if there is no valid one."""
    try:
        if (folder / NAME).stat().st_size > _LONGEST:
            return None
        return _parsed(json.loads((folder / NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _parsed(given: Mapping[str, Any]) -> DownloadRecord:
    files = tuple(RemoteFile(str(f["name"]), int(f["size"]), f["kind"], str(f["digest"])) for f in given["files"])
    if any(file.kind not in ("sha256", "git") or Path(file.name).name != file.name for file in files):
        raise ValueError
    words = {name: str(given[name]) for name in ("model", "endpoint", "revision", "sha", "licence", "begun")}
    return DownloadRecord(**words, files=files)
