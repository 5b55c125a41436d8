"""Rolling backups of a session, and recovery of a damaged one from them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

from engine.errors import EngineError
from engine.review.change import DamagedError
from engine.review.store import DECIDED_TABLES, connect_reading, make_tables
from engine.storage.atomic import sync

KEPT = 3
FOLDER = "backups"
_STAMP = "%Y%m%d-%H%M%S-%f"
_STAMP_PATTERN = r"\d{8}-\d{6}-\d{6}"
_SIDES = ("", "-wal", "-shm")


def backups(path: Path) -> list[Path]:
    """List the backups of the session at `path`, newest first."""
    pattern = re.compile(rf"{re.escape(path.stem)}\.{_STAMP_PATTERN}{re.escape(path.suffix)}")
    try:
        found = [entry for entry in (path.parent / FOLDER).iterdir() if pattern.fullmatch(entry.name)]
    except OSError:
        return []
    return sorted(found, key=lambda entry: entry.name, reverse=True)


def back_up(path: Path, connection: sqlite3.Connection) -> None:
    """Make a backup if decisions were made since the last one, and delete the oldest.

    Raises:
        OSError, sqlite3.Error: It could not be made; earlier backups are unchanged.
    """
    known = backups(path)
    revision = _revision(connection)
    if revision == 0 or (known and _revision_of(known[0]) == revision):
        return
    folder = path.parent / FOLDER
    folder.mkdir(exist_ok=True)
    backup = folder / f"{path.stem}.{datetime.now().strftime(_STAMP)}{path.suffix}"
    part = folder / f".{path.stem}.part"
    _remove(part)
    try:
        _copy_decided(path, part)
        part.replace(backup)
    except BaseException:
        with contextlib.suppress(OSError):
            _remove(part)
        raise
    for old in known[KEPT - 1 :]:
        old.unlink()


def recover(path: Path) -> EngineError:
    """Rename a damaged session and replace it with its newest intact backup, if there is one.

    Returns:
        A notice for the user.

    Raises:
        OSError: The folder cannot be written.
    """
    good = next((backup for backup in backups(path) if _revision_of(backup) is not None), None)
    part = _copied(good, path.with_name(f".{path.stem}.part")) if good else None
    aside = _set_aside(path)
    if good is None or part is None:
        return EngineError(
            "session_begun_anew",
            "The session {path} was damaged and had no backup: it was kept as {aside}, and an empty one was made.",
            path=path,
            aside=aside.name,
        )
    part.replace(path)
    return EngineError(
        "session_restored",
        "The session {path} was damaged: it was kept as {aside}, and the backup of {date} was opened.",
        path=path,
        aside=aside.name,
        date=_made(good, path).strftime("%Y-%m-%d %H:%M"),
    )


def _copy_decided(path: Path, backup: Path) -> None:
    """Copy the tables that cannot be computed again, in one read transaction.

    Detections, most of a session's bytes, are left out.
    """
    connection = sqlite3.connect(backup, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        make_tables(connection)
        connection.execute("ATTACH ? AS session", (str(path),))
        connection.execute("BEGIN")
        connection.execute("DELETE FROM state")
        for table in DECIDED_TABLES:
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM session.{table}")
        connection.execute("COMMIT")
    finally:
        connection.close()


def _revision(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT revision FROM state").fetchone()[0])


def _revision_of(backup: Path) -> int | None:
    """Return the revision number of a backup; `None` if it is damaged."""
    try:
        with contextlib.closing(connect_reading(backup)) as connection:
            return _revision(connection)
    except (sqlite3.Error, DamagedError, EngineError):
        return None


def _set_aside(path: Path) -> Path:
    name = f"{path.name}.damaged-{datetime.now():%Y-%m-%d}"
    aside, number = path.with_name(name), 2
    while any(os.path.lexists(f"{aside}{side}") for side in _SIDES):
        aside, number = path.with_name(f"{name}-{number}"), number + 1
    for side in reversed(_SIDES):  # the file itself last: after a crash in between, it is found damaged again
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{side}").rename(f"{aside}{side}")
    return aside


def _copied(backup: Path, part: Path) -> Path:
    try:
        shutil.copyfile(backup, part)
        with part.open("rb+") as file:
            sync(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _made(backup: Path, path: Path) -> datetime:
    return datetime.strptime(backup.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix), _STAMP)


def _remove(path: Path) -> None:
    for side in ("", "-journal"):
        Path(f"{path}{side}").unlink(missing_ok=True)
