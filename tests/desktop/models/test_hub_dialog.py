"""The hub's page in a window: search, download, pause, cancel, resume."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QLineEdit, QProgressBar, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.models.dialog import ModelDialog
from desktop.models.download import DownloadRow
from desktop.models.hub_downloads import HubDownloads
from desktop.settings.page import SettingsPage
from desktop.settings.preferences import PreferenceStore
from desktop.state.hub import Download, Phase
from desktop.state.model import Presence
from engine.models.hub.folders import ModelFolders
from engine.models.hub.known import known_models
from engine.models.hub.patience import Patience
from engine.settings import Settings, load_settings
from tests.desktop.conftest import Driver
from tests.engine.models.hub.conftest import hub, loopback_alone, no_strangers, nobody_signed_in
from tests.hub_server import HubServer, bottles, sends, sha_of, slow, stall, status

__all__ = ["hub", "loopback_alone", "no_strangers", "nobody_signed_in"]

QUICK = Patience(connect=1.0, answer=2.0, silence=0.5, attempts=1, first=0.01, longest=0.05, asked=2.0)
CTRL = Qt.KeyboardModifier.ControlModifier


class Hub:
    """The hub's page of a window under test."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        driver.qtbot.keyClick(driver.window, "m", CTRL)
        driver.wait_until(lambda: self.dialog.models.list.row is not None)
        self.dialog.show_hub()
        self.downloads.patience = QUICK

    @property
    def dialog(self) -> ModelDialog:
        dialog = self.driver.window.findChild(ModelDialog)
        assert dialog is not None
        return dialog

    @property
    def downloads(self) -> HubDownloads:
        return self.driver.window.viewer.models.downloads

    @property
    def told(self) -> str:
        label = self.dialog.findChild(QLabel, "hubTold")
        assert label is not None
        return label.text()

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self.dialog.hub.list.rows]

    def state(self, model: str = "acme/bottles") -> Download | None:
        return next((each for each in self.downloads.states if each.model == model), None)

    def row(self, model: str = "acme/bottles") -> DownloadRow:
        rows = self.dialog.hub.findChildren(DownloadRow)
        return next(each for each in rows if each.accessibleName() == model and each.isVisible())

    def row_text(self, model: str = "acme/bottles") -> str:
        label = self.row(model).findChild(QLabel, "downloadTold")
        assert label is not None
        return label.text()

    def press(self, name: str, within: QWidget | None = None) -> None:
        button = (within or self.dialog).findChild(QPushButton, name)
        assert button is not None
        assert button.isEnabled(), name
        self.driver.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def type(self, text: str, search: bool = True) -> None:
        edit = self.dialog.findChild(QLineEdit, "hubSearch")
        assert edit is not None
        edit.setText(text)
        if search:
            self.driver.qtbot.keyClick(edit, Qt.Key.Key_Return)

    def download(self, model: str = "acme/bottles") -> None:
        """Search it, select it, press the button."""
        self.type(model.rpartition("/")[2])
        self.driver.wait_until(lambda: model in self.ids)
        self.dialog.hub.list.selectRow(self.ids.index(model))
        self.press("hubDownload")

    def wait_phase(self, phase: Phase | None, model: str = "acme/bottles") -> None:
        def is_there() -> bool:
            state = self.state(model)
            return (None if state is None else state.phase) is phase

        self.driver.wait_until(is_there)


@pytest.fixture
def open_hub(
    open_window: Callable[..., Driver], hub: HubServer, image_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Hub]:
    """A window whose hub is the one on loopback."""
    monkeypatch.setenv("DETRDESK_HUB_ENDPOINT", hub.url)

    def open_it() -> Hub:
        driver = open_window(image_file)
        driver.wait_detected(image_file.name)
        return Hub(driver)

    return open_it


@pytest.fixture
def page(open_hub: Callable[[], Hub]) -> Hub:
    return open_hub()


@pytest.fixture
def offline(open_window: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A window whose hub cannot be reached."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DETRDESK_HUB_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
    return Hub(open_window())


def test_the_well_known_ones_are_offered_without_asking(page: Hub, hub: HubServer) -> None:
    assert page.ids == [model.id for model in known_models()]
    page.type("r50", search=False)
    assert 0 < len(page.ids) < len(known_models())
    assert all("r50" in each for each in page.ids)
    page.dialog.hub.list.selectRow(0)
    about = page.dialog.findChild(QLabel, "hubAbout")
    assert about is not None
    assert about.text()
    assert hub.asked == []


def test_a_search_finds_models_and_says_which_cannot_be_used(page: Hub, hub: HubServer) -> None:
    hub.repos["acme/bottle-pickles"] = bottles(card={"tags": ["object-detection"], "downloads": 1})
    page.type("bottle")
    page.driver.wait_until(lambda: page.ids == ["acme/bottles", "acme/bottle-pickles"])
    assert page.told == "2 models on the hub, most used first"
    download = page.dialog.findChild(QPushButton, "hubDownload")
    assert download is not None
    page.dialog.hub.list.selectRow(1)
    assert not download.isEnabled()
    page.dialog.hub.list.selectRow(0)
    assert download.isEnabled()
    page.type("nothing of this name")
    page.driver.wait_until(lambda: "no model of this name" in page.told)
    page.type("", search=False)
    assert page.ids == [model.id for model in known_models()]


def test_what_no_search_finds_is_downloaded_by_its_name_or_page(page: Hub, hub: HubServer) -> None:
    """Private models, and those that do not name their task."""
    hub.repos["acme/lids"] = bottles(card={"pipeline_tag": "none"})
    page.type("https://huggingface.co/acme/lids")
    page.driver.wait_until(lambda: page.ids == ["acme/lids"])
    page.dialog.hub.list.selectRow(0)
    page.press("hubDownload")
    page.wait_phase(Phase.DONE, "acme/lids")


@pytest.mark.alone
def test_the_newest_search_wins_and_the_window_never_waits(page: Hub, hub: HubServer) -> None:
    hub.repos["acme/caps"] = bottles()
    hub.fault("/api/models", stall())
    started = time.monotonic()
    page.type("bottle")
    assert time.monotonic() - started < 1
    page.driver.wait_until(lambda: bool(hub.asked))
    page.type("caps")
    page.driver.wait_until(lambda: page.ids == ["acme/caps"])


def test_offline_says_so_at_once_and_everything_local_works(offline: Hub, image_file: Path) -> None:
    driver = offline.driver
    started = time.monotonic()
    offline.type("bottles")
    driver.wait_until(lambda: "cannot be reached" in offline.told)
    assert time.monotonic() - started < 5
    offline.type("", search=False)
    offline.dialog.hub.list.selectRow(0)
    offline.press("hubDownload")
    offline.wait_phase(Phase.FAILED, offline.ids[0])
    problem = offline.row(offline.ids[0]).findChild(QLabel, "downloadProblem")
    assert problem is not None
    assert "cannot be reached" in problem.text()
    driver.window.viewer.browsing.open([image_file])
    driver.wait_detected(image_file.name)


def test_a_model_is_downloaded_named_and_used(page: Hub, hub: HubServer, tiny_detr: Path, own_home: Path) -> None:
    hub.add("acme/tiny", tiny_detr)
    driver, models = page.driver, page.driver.window.viewer.models
    page.download("acme/tiny")
    page.wait_phase(Phase.DONE, "acme/tiny")
    assert "acme/tiny" in (own_home / "config" / "models.toml").read_text("utf-8")
    driver.wait_until(lambda: "tiny" in driver.state.models)
    assert driver.state.model == "tiny-detr"
    assert "tiny is downloaded" in driver.message
    page.press("downloadGo", page.row("acme/tiny"))
    driver.wait_until(lambda: driver.state.detections is not None and driver.state.detections.model == "tiny")
    driver.wait_until(lambda: any(row.name == "tiny" and row.presence is Presence.IN_USE for row in models.views.rows))
    view = page.dialog.models
    view.list.select("tiny")
    driver.wait_until(lambda: view.card.view is not None and view.card.view.is_downloaded)
    page.press("downloadEnd", page.row("acme/tiny"))
    assert page.state("acme/tiny") is None


def test_a_download_is_paused_resumed_and_given_up(page: Hub, hub: HubServer) -> None:
    hub.fault("/storage/", slow(20_000, 0.02), times=3)
    page.download()
    page.driver.wait_until(lambda: (state := page.state()) is not None and state.progress.done > 100_000)
    assert " of 0.9 MB" in page.row_text()
    page.driver.wait_until(lambda: "MB/s" in page.row_text() and "left" in page.row_text())
    bar = page.row().findChild(QProgressBar, "downloadBar")
    assert bar is not None
    assert 0 < bar.value() < bar.maximum()
    rows = page.driver.window.viewer.models
    assert any(row.presence is Presence.DOWNLOADING and row.percent for row in rows.views.rows)
    page.press("downloadGo", page.row())
    page.wait_phase(Phase.PAUSED)
    paused = page.state()
    assert paused is not None
    page.driver.qtbot.wait(200)
    assert page.state() == paused
    page.press("downloadGo", page.row())
    page.driver.wait_until(lambda: (state := page.state()) is not None and state.progress.done > paused.progress.done)
    page.press("downloadEnd", page.row())
    page.wait_phase(None)
    assert ModelFolders().unfinished() == []
    assert not any(row.presence is Presence.DOWNLOADING for row in rows.views.rows)


@pytest.mark.alone
def test_what_was_not_finished_is_offered_after_a_restart(open_hub: Callable[[], Hub], hub: HubServer) -> None:
    first = open_hub()
    hub.fault("/storage/", slow(20_000, 0.02))
    first.download()
    first.driver.wait_until(lambda: (state := first.state()) is not None and state.progress.done > 100_000)
    started = time.monotonic()
    first.driver.window.close()
    assert time.monotonic() - started < 3
    assert first.driver.window.all_ended
    second = open_hub()
    second.wait_phase(Phase.LEFT)
    assert second.row_text().startswith("not finished · 0.")
    second.press("downloadGo", second.row())
    second.wait_phase(Phase.DONE)
    assert hub.requests("/storage/")[-1].headers["range"].startswith("bytes=1")


@pytest.mark.alone
def test_closing_while_the_hub_says_nothing_leaves_no_thread(page: Hub, hub: HubServer) -> None:
    page.downloads.patience = None
    hub.fault("/storage/", stall(50_000))
    page.download()
    page.driver.wait_until(lambda: (state := page.state()) is not None and state.progress.done > 0)
    hub.fault("/api/models", stall())
    page.type("caps")
    started = time.monotonic()
    page.driver.window.close()
    assert time.monotonic() - started < 3
    assert page.driver.window.all_ended


@pytest.mark.parametrize(
    ("path", "fault", "words"),
    [
        ("/api/models/acme", status(404, "RepoNotFound"), "has no model acme/bottles"),
        ("/api/models/acme", status(403, "GatedRepo"), "accept them at"),
        ("/api/models/acme", status(401), "sign in with: hf auth login"),
        ("/storage/", sends(lambda body: body[::-1]), "did not come as"),
        ("/storage/", stall(10_000), "breaks off before model.safetensors"),
    ],
)
def test_each_failure_is_one_sentence_and_may_be_tried_again(
    page: Hub, hub: HubServer, path: str, fault: Callable[..., bool], words: str
) -> None:
    page.type("bottles")
    page.driver.wait_until(lambda: "acme/bottles" in page.ids)
    hub.fault(path, fault, times=9)
    page.dialog.hub.list.selectRow(0)
    page.press("hubDownload")
    page.wait_phase(Phase.FAILED)
    problem = page.row().findChild(QLabel, "downloadProblem")
    assert problem is not None
    assert words in problem.text()
    assert page.row().isVisible()
    hub.plans.clear()
    page.press("downloadGo", page.row())
    page.wait_phase(Phase.DONE)


def test_what_is_in_the_catalog_but_not_here_is_downloaded_from_its_card(
    open_hub: Callable[[], Hub], hub: HubServer, own_home: Path, tiny_detr: Path
) -> None:
    commit = sha_of(hub.add("acme/tiny", tiny_detr).files)
    (own_home / "config").mkdir()
    (own_home / "config" / "models.toml").write_text(
        f"['mein Modell']\nhub = 'acme/tiny'\nrevision = '{commit}'\n", "utf-8"
    )
    page = open_hub()
    models = page.dialog.models
    models.list.select("mein Modell")
    page.driver.wait_until(lambda: models.card.view is not None and models.card.view.hub_id == "acme/tiny")
    page.press("modelDownload")
    page.wait_phase(Phase.DONE, "acme/tiny")
    assert hub.requests(f"/revision/{commit}")
    page.press("downloadGo", page.row("acme/tiny"))
    page.driver.wait_until(lambda: page.driver.state.model == "mein Modell" and page.driver.state.stage is None)


def test_another_hub_is_set_among_the_settings(qtbot: QtBot, hub: HubServer) -> None:
    store = PreferenceStore()
    store.settings = Settings()
    settings = SettingsPage(store, ("starter",))
    qtbot.addWidget(settings)
    edit = settings.findChild(QLineEdit, "hub_endpoint")
    assert edit is not None
    edit.setText("ftp://mirror")
    edit.editingFinished.emit()
    assert edit.property("invalid")
    assert "cannot be used" in edit.toolTip()
    assert store.settings.hub_endpoint == ""
    edit.setText(hub.url)
    edit.editingFinished.emit()
    assert not edit.property("invalid")
    assert load_settings().hub_endpoint == hub.url
