"""Rolling backups of a session, and what happens to a damaged one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

from engine.errors import EngineError
from engine.review.difference import DamagedError
from engine.review.store import DECIDED_TABLES, connect_reading, make_tables

KEPT = 3
FOLDER = "backups"
_STAMP = "%Y%m%d-%H%M%S-%f"
_STAMP_PATTERN = r"\d{8}-\d{6}-\d{6}"
_SIDES = ("", "-wal", "-shm")


def backups(path: Path) -> list[Path]:
    """The backups of the session at `path`, the newest first."""
    pattern = re.compile(rf"{re.escape(path.stem)}\.{_STAMP_PATTERN}{re.escape(path.suffix)}")
    try:
        found = [entry for entry in (path.parent / FOLDER).iterdir() if pattern.fullmatch(entry.name)]
    except OSError:
        return []
    return sorted(found, key=lambda entry: entry.name, reverse=True)


def back_up(path: Path, connection: sqlite3.Connection) -> None:
    """Make a backup where decisions were made since the last one, and forget the oldest.

    Raises:
        OSError, sqlite3.Error: it could not be made; the earlier ones are whole.
    """
    known = backups(path)
    revision = _revision(connection)
    if revision == 0 or (known and _revision_of(known[0]) == revision):
        return
    folder = path.parent / FOLDER
    folder.mkdir(exist_ok=True)
    backup = folder / f"{path.stem}.{datetime.now().strftime(_STAMP)}{path.suffix}"
    beside = folder / f".{path.stem}.part"
    _remove(beside)
    try:
        _copy_decided(path, beside)
        beside.replace(backup)
    except BaseException:
        with contextlib.suppress(OSError):
            _remove(beside)
        raise
    for old in known[KEPT - 1 :]:
        old.unlink()


def recover(path: Path) -> EngineError:
    """Set a damaged session aside and put its newest good backup in its place, if there is one.

    Returns:
        What to tell the user.

    Raises:
        OSError: the folder cannot be written.
    """
    good = next((backup for backup in backups(path) if _revision_of(backup) is not None), None)
    beside = _copied(good, path.with_name(f".{path.stem}.part")) if good else None
    aside = _set_aside(path)
    if good is None or beside is None:
        return EngineError(
            "session_begun_anew",
            "The session {path} was damaged and had no backup: it was kept as {aside}, and an empty one was begun.",
            path=path,
            aside=aside.name,
        )
    beside.replace(path)
    return EngineError(
        "session_restored",
        "The session {path} was damaged: it was kept as {aside}, and the backup of {date} was opened.",
        path=path,
        aside=aside.name,
        date=_made(good, path).strftime("%Y-%m-%d %H:%M"),
    )


def _copy_decided(path: Path, backup: Path) -> None:
    """What cannot be made again, of one moment; the detections stay behind, most of a session's bytes."""
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
    """How far a backup goes; `None` where it is damaged."""
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
    for side in reversed(_SIDES):  # the file itself last: killed in between, the next opening finds it damaged again
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{side}").rename(f"{aside}{side}")
    return aside


def _copied(backup: Path, beside: Path) -> Path:
    try:
        shutil.copyfile(backup, beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _made(backup: Path, path: Path) -> datetime:
    return datetime.strptime(backup.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix), _STAMP)


def _remove(path: Path) -> None:
    for side in ("", "-journal"):
        Path(f"{path}{side}").unlink(missing_ok=True)
