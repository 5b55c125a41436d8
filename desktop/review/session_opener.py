"""Choice of the session for what the user opens: each folder has its own, everything else shares one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.review.session_worker import SessionWorker
from engine.errors import EngineError, SourceError
from engine.image.source import SourceLike, parse_source
from engine.paths import data_dir
from engine.review.session import Session, session_path

SINGLE_IMAGES = "Single images.detrdesk"


class SessionOpener(QObject):
    """Opens the session before its images are listed; the newest request wins.

    Signals:
        opened(tuple[SourceLike, ...], Session | None, EngineError | None): What to list in which session, and a message
            about the session.
    """

    opened = pyqtSignal(object, object, object)

    def __init__(self, worker: SessionWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._given: tuple[SourceLike, ...] = ()
        self._path = Path()
        self._opening: Path | None = None
        worker.opened.connect(self._on_opened)

    def request(self, given: tuple[SourceLike, ...], current: Session | None) -> None:
        """Open the session of `given`, unless it is the current one; an empty tuple asks for SINGLE_IMAGES."""
        self._given, self._path = given, path_for(given)
        if current is not None and current.path == self._path:
            self.opened.emit(given, current, None)
        elif self._opening != self._path:  # opened twice, the second one could only be read
            self._opening = self._path
            self._worker.open(self._path)

    def cancel(self) -> None:
        """Emit nothing for the last request."""
        self._path = Path()

    def _on_opened(self, path: Path, result: Session | EngineError) -> None:
        if path == self._opening:
            self._opening = None
        if path != self._path:
            if isinstance(result, Session):
                self._worker.close(result)
        elif isinstance(result, Session):
            self.opened.emit(self._given, result, result.notice)
        else:
            self.opened.emit(self._given, None, result)


def path_for(given: Sequence[SourceLike]) -> Path:
    """Return the session file of what the user opens."""
    folder = _folder_in(given)
    sessions = data_dir() / "sessions"
    return sessions / SINGLE_IMAGES if folder is None else session_path(sessions, str(folder))


def _folder_in(given: Sequence[SourceLike]) -> Path | None:
    """Return the folder, if it is one and nothing else was given."""
    if len(given) != 1:
        return None
    try:
        source = parse_source(given[0])
        folder = Path(source.location)
        return folder.resolve() if source.kind == "path" and folder.is_dir() else None
    except (SourceError, OSError, ValueError):
        return None
