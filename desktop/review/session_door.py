"""Which session belongs to what the user opens: each folder has its own, everything else shares one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.review.session_reader import SessionReader
from desktop.viewer.detection_runner import Given
from engine.errors import EngineError, SourceError
from engine.image.source import parse_source
from engine.paths import data_dir
from engine.review.session import Session, session_path

SINGLE_IMAGES = "Single images.detrdesk"


class SessionDoor(QObject):
    """Opens the session of what was given before its images are listed; the newest wish wins.

    Signals:
        opened(tuple[Given, ...], Session | None, EngineError | None): What to list in which session, and what there is
            to tell about it.
    """

    opened = pyqtSignal(object, object, object)

    def __init__(self, reader: SessionReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._given: tuple[Given, ...] = ()
        self._path = Path()
        self._on_its_way: Path | None = None
        reader.ready.connect(self._on_ready)

    def ask_for(self, given: tuple[Given, ...], current: Session | None) -> None:
        """Open the session of `given`, which may be nothing yet, unless it is the current one."""
        self._given, self._path = given, path_for(given)
        if current is not None and current.path == self._path:
            self.opened.emit(given, current, None)
        elif self._on_its_way != self._path:  # opened twice, the second one could only be read
            self._on_its_way = self._path
            self._reader.open(self._path)

    def forget(self) -> None:
        """Nobody waits for a session any more."""
        self._path = Path()

    def _on_ready(self, path: Path, result: Session | EngineError) -> None:
        if path == self._on_its_way:
            self._on_its_way = None
        if path != self._path:
            if isinstance(result, Session):
                self._reader.close(result)
        elif isinstance(result, Session):
            self.opened.emit(self._given, result, result.notice)
        else:
            self.opened.emit(self._given, None, result)


def path_for(given: Sequence[Given]) -> Path:
    """The file of the session that what the user gave belongs to."""
    folder = _folder_in(given)
    sessions = data_dir() / "sessions"
    return sessions / SINGLE_IMAGES if folder is None else session_path(sessions, str(folder))


def _folder_in(given: Sequence[Given]) -> Path | None:
    """The folder, if one and nothing else was given."""
    if len(given) != 1:
        return None
    try:
        source = parse_source(given[0])
        folder = Path(source.location)
        return folder.resolve() if source.kind == "path" and folder.is_dir() else None
    except (SourceError, OSError, ValueError):
        return None
