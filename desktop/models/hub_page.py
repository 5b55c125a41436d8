"""The hub's page of the models dialog: well-known models, search, downloads."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLineEdit, QProgressBar, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.models.download import DownloadRow
from desktop.models.hub_list import HubList
from desktop.models.hub_search import known_rows
from desktop.state.hub import Download, HubRow
from desktop.state.model import ModelRow, Presence
from desktop.style.i18n import tr, tr_count
from desktop.style.icons import icon
from desktop.style.parts import hint_label
from desktop.style.theme import GRID

_MOST_DOWNLOADS_HEIGHT = 20 * GRID


class HubPage(QWidget):
    """Searches and downloads models.

    Attributes:
        list: The found models.

    Signals:
        search_asked(str): The text to search for; empty to cancel the search.
        download_asked(str): The id of a model to download.
        pause_asked, resume_asked, cancel_asked: The buttons of a download, with the model's id.
        use_asked(str): The button of a finished download, with the model's name in the catalog.
    """

    search_asked = pyqtSignal(str)
    download_asked = pyqtSignal(str)
    pause_asked = pyqtSignal(str)
    resume_asked = pyqtSignal(str)
    cancel_asked = pyqtSignal(str)
    use_asked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hubPage")
        self._known = known_rows()
        self._is_found = False
        self._places: dict[str, str] = {}
        self._downloads: dict[str, DownloadRow] = {}
        self.list = HubList()
        self._search, self._ask = self._make_search(), QPushButton(tr("Search"))
        self._told, self._busy = hint_label(""), QProgressBar()
        self._about, self._download = hint_label(""), QPushButton(tr("Download"))
        self._coming, self._scroll = QVBoxLayout(), QScrollArea()
        self._lay_out()
        self.list.chosen.connect(self._show_chosen)
        self.list.activated_row.connect(self._ask_download)
        self._show_known()

    def show_found(self, rows: tuple[HubRow, ...]) -> None:
        """Show the models that were found."""
        self._show_busy(False)
        self._is_found = True
        self.list.show_rows(rows)
        many = tr_count(
            "{count} model on the hub, most used first", "{count} models on the hub, most used first", len(rows)
        )
        self._told.setText(many if rows else tr("The hub has no model of this name that detects objects."))

    def show_problem(self, problem: str) -> None:
        """Show why the search failed, and the well-known models."""
        self._show_known()
        self._told.setText(problem)

    def show_models(self, rows: tuple[ModelRow, ...]) -> None:
        """Mark the models that are downloaded."""
        here = (row for row in rows if row.presence not in (Presence.NOT_HERE, Presence.DOWNLOADING))
        self._places = {row.place: tr("downloaded") for row in here}
        self.list.show_states(self._places)
        self._show_chosen(self.list.row)

    def show_downloads(self, downloads: tuple[Download, ...]) -> None:
        """Show the downloads, oldest first."""
        wanted = {each.model: each for each in downloads}
        for model in [model for model in self._downloads if model not in wanted]:
            row = self._downloads.pop(model)
            row.hide()
            row.deleteLater()
        for model, download in wanted.items():
            if model in self._downloads:
                self._downloads[model].show_download(download)
            else:
                self._downloads[model] = self._make_row(download)
        self._scroll.setVisible(bool(wanted))
        self._show_chosen(self.list.row)

    def focus_search(self) -> None:
        """Focus the search field."""
        self._search.setFocus()

    def _make_row(self, download: Download) -> DownloadRow:
        row = DownloadRow(download)
        row.pause_asked.connect(self.pause_asked)
        row.resume_asked.connect(self.resume_asked)
        row.cancel_asked.connect(self.cancel_asked)
        row.use_asked.connect(self.use_asked)
        self._coming.insertWidget(self._coming.count() - 1, row)
        return row

    def _on_typed(self, text: str) -> None:
        """Filter the well-known models; former results were for another text."""
        self.search_asked.emit("")
        self._show_known()

    def _on_search(self) -> None:
        text = self._search.text().strip()
        if text:
            self._show_busy(True)
            self._told.setText(tr("Asking the hub…"))
            self.search_asked.emit(text)

    def _show_known(self) -> None:
        self._show_busy(False)
        words = self._search.text().casefold().split()
        rows = tuple(
            row for row in self._known if all(word in f"{row.id} {row.family} {row.about}".casefold() for word in words)
        )
        self._is_found = False
        self.list.show_rows(rows)
        if not words:
            self._told.setText(tr("Well-known models; search to find others."))
        else:
            self._told.setText(tr("Well-known models with this in their names; press Return to search the whole hub."))

    def _show_busy(self, is_busy: bool) -> None:
        self._busy.setVisible(is_busy)

    def _show_chosen(self, row: HubRow | None) -> None:
        shown = self._downloads
        self._about.setText("" if row is None else row.about)
        can = row is not None and row.is_usable and row.id not in self._places and row.id not in shown
        self._download.setEnabled(can)

    def _ask_download(self, row: HubRow | None) -> None:
        if row is not None and self._download.isEnabled():
            self.download_asked.emit(row.id)

    def _make_search(self) -> QLineEdit:
        search = QLineEdit()
        search.setObjectName("hubSearch")
        search.setAccessibleName(tr("Search models on the hub"))
        search.setPlaceholderText(tr("Search models on the hub, or paste owner/name"))
        search.addAction(icon("search", "text_muted"), QLineEdit.ActionPosition.LeadingPosition)
        search.setClearButtonEnabled(True)
        search.textChanged.connect(self._on_typed)
        search.returnPressed.connect(self._on_search)
        return search

    def _lay_out(self) -> None:
        self._ask.setObjectName("hubSearchNow")
        self._ask.setAccessibleName(tr("Search"))
        self._ask.clicked.connect(self._on_search)
        self._told.setObjectName("hubTold")
        self._busy.setObjectName("hubBusy")
        self._busy.setAccessibleName(tr("Asking the hub…"))
        self._busy.setRange(0, 0)
        self._busy.setFixedWidth(10 * GRID)
        self._about.setObjectName("hubAbout")
        self._download.setObjectName("hubDownload")
        self._download.setAccessibleName(tr("Download"))
        self._download.clicked.connect(lambda: self._ask_download(self.list.row))
        for button in (self._ask, self._download):
            button.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, GRID)
        column.setSpacing(GRID)
        column.addLayout(_row(self._search, self._ask))
        column.addLayout(_row(self._told, self._busy))
        column.addWidget(self.list, 1)
        column.addLayout(_row(self._about, self._download))
        column.addWidget(self._make_coming())

    def _make_coming(self) -> QScrollArea:
        """Make the scrolled list of downloads, of limited height."""
        content = QWidget()
        content.setLayout(self._coming)
        self._coming.setContentsMargins(0, 0, GRID, 0)
        self._coming.setSpacing(0)
        self._coming.addStretch(1)
        self._scroll.setObjectName("hubDownloads")
        self._scroll.setAccessibleName(tr("Downloads"))
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(content)
        self._scroll.setMaximumHeight(_MOST_DOWNLOADS_HEIGHT)
        self._scroll.hide()
        return self._scroll


def _row(first: QWidget, second: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID)
    row.addWidget(first, 1)
    row.addWidget(second)
    return row
