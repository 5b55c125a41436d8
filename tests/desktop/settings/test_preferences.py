"""Preferences in `config.toml`: comments stay; a damaged file is renamed and reported."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.settings.config_file import SET_ASIDE, ConfigFile
from desktop.settings.preferences import PreferenceStore
from desktop.state.preferences import Preferences
from engine.errors import EngineError
from engine.settings import config_file, load_settings
from tests.children import modes_obeyed, needs_modes

SAMPLE = """# mine
device = "cpu"  # the fan

[window]
# at night
scheme = "dark"
threshold = 0.35
language = "zh_CN"  # 中文
hints_seen = ["accept"]

[window.keys]
# as in my other program
nextImage = ["Right", "D"]
"""


@pytest.fixture
def file(tmp_path: Path) -> ConfigFile:
    return ConfigFile(tmp_path / "配置" / "config.toml")


@pytest.fixture
def sample(file: ConfigFile) -> ConfigFile:
    file.path.parent.mkdir()
    file.path.write_text(SAMPLE, "utf-8")
    return file


def set_aside(file: ConfigFile) -> list[Path]:
    return sorted(file.path.parent.glob("config.toml.damaged-*"))


def problems(store: PreferenceStore) -> list[EngineError]:
    told: list[EngineError] = []
    store.failed.connect(told.append)
    return told


def test_nothing_kept_is_the_usual(file: ConfigFile) -> None:
    store = PreferenceStore(file)
    assert store.value == Preferences()
    assert store.problem is None
    assert not file.path.exists()


def test_what_is_kept_is_read(sample: ConfigFile) -> None:
    store = PreferenceStore(sample)
    assert store.problem is None
    assert store.value == Preferences(
        language="zh_CN",
        scheme="dark",
        threshold=0.35,
        keys={"nextImage": ("Right", "D")},
        hints_seen=frozenset({"accept"}),
    )


def test_what_is_changed_is_found_again(file: ConfigFile) -> None:
    wanted = Preferences("en", "light", 0.4, False, {"fit": ("F",), "quit": ()}, frozenset({"b", "a"}), "/导出", "coco")
    store = PreferenceStore(file)
    told = problems(store)
    for name in ("language", "scheme", "threshold", "detect_on_opening", "keys", "hints_seen"):
        store.change(**{name: getattr(wanted, name)})
    store.change(export_folder=wanted.export_folder, export_format=wanted.export_format)
    assert not told
    assert PreferenceStore(file).value == store.value == wanted


def test_comments_order_and_other_settings_stay(sample: ConfigFile) -> None:
    store = PreferenceStore(sample)
    store.change(scheme="light", keys={"nextImage": ("Right",), "fit": ("F",)})
    store.change_settings(device="cuda")
    expected = SAMPLE.replace('"dark"', '"light"').replace('"cpu"', '"cuda"').replace(', "D"]', "]")
    assert sample.path.read_text("utf-8") == expected + 'fit = ["F"]\n'


def test_what_was_edited_by_hand_meanwhile_stays(sample: ConfigFile) -> None:
    store = PreferenceStore(sample)
    sample.path.write_text(SAMPLE.replace("0.35", "0.7"), "utf-8")
    store.change(scheme="light")
    assert tomllib.loads(sample.path.read_text("utf-8"))["window"]["threshold"] == 0.7


def test_a_key_that_is_usual_again_is_taken_out(sample: ConfigFile) -> None:
    PreferenceStore(sample).change(keys={})
    assert tomllib.loads(sample.path.read_text("utf-8"))["window"]["keys"] == {}
    assert PreferenceStore(sample).value.keys == {}


def test_no_change_writes_nothing(sample: ConfigFile, qtbot: QtBot) -> None:
    store = PreferenceStore(sample)
    sample.path.unlink()
    with qtbot.assertNotEmitted(store.changed), qtbot.assertNotEmitted(store.settings_changed):
        store.change(scheme="dark")
        store.change_settings(device=store.settings.device)
    assert not sample.path.exists()


def test_the_engine_reads_what_is_set(qtbot: QtBot) -> None:
    store = PreferenceStore()
    store.change(language="en")
    with qtbot.waitSignal(store.settings_changed) as told:
        store.change_settings(device="cpu", loaded_models=3, max_pixels=5_000_000)
    kept = load_settings()
    assert store.path == config_file()
    assert (kept.device, kept.loaded_models, kept.max_pixels) == ("cpu", 3, 5_000_000)
    assert told.args[0].loaded_models == 3
    assert PreferenceStore().value.language == "en"


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('[window]\nlanguage = 5\nscheme = "dark"', "window.language"),
        ('[window]\nthreshold = 7\nscheme = "dark"', "window.threshold"),
        ('[window]\nscheme = "dark"\nkeys = {fit = "F"}', "window.keys.fit"),
        ('window = "large"', "window"),
    ],
)
def test_what_cannot_be_used_is_named_and_the_rest_is_used(file: ConfigFile, text: str, setting: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(text, "utf-8")
    store = PreferenceStore(file)
    assert store.value == Preferences(scheme="dark" if "scheme" in text else "system")
    assert store.problem is not None
    assert f" {setting} " in store.problem.message
    store.change(threshold=0.2)
    assert PreferenceStore(file).value.threshold == 0.2


def test_cut_anywhere_it_is_opened_or_set_aside(sample: ConfigFile) -> None:
    whole = sample.path.read_bytes()
    outcomes = set()
    for length in range(len(whole)):
        sample.path.write_bytes(whole[:length])
        store = PreferenceStore(sample)
        aside = set_aside(sample)
        outcomes.add(bool(aside))
        if aside:
            assert [path.read_bytes() for path in aside] == [whole[:length]]
            assert store.problem is not None
            assert str(aside[0]) in store.problem.message
            assert store.value == Preferences()
            assert not sample.path.exists()
            aside[0].unlink()
        told = problems(store)
        store.change(export_folder="new")
        assert not told
        assert PreferenceStore(sample).value.export_folder == "new"
    assert outcomes == {True, False}


def test_damaged_while_the_window_runs_it_is_set_aside_not_overwritten(sample: ConfigFile) -> None:
    store = PreferenceStore(sample)
    told = problems(store)
    for number in range(2):
        sample.path.write_text(f"[window\n# {number}", "utf-8")
        store.change(scheme=("light", "system")[number])
    assert [error.code for error in told] == [SET_ASIDE, SET_ASIDE]
    assert [path.read_text("utf-8") for path in set_aside(sample)] == ["[window\n# 0", "[window\n# 1"]
    assert sample.read() == {"window": {"scheme": "system"}}


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_a_full_disk_is_told_with_the_path_and_the_old_file_is_whole(sample: ConfigFile) -> None:
    import resource

    store = PreferenceStore(sample)
    told = problems(store)
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, former[1]))
    try:
        store.change(scheme="light")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert store.value.scheme == "light"
    assert [str(sample.path) in error.message for error in told] == [True]
    assert sample.path.read_text("utf-8") == SAMPLE
    assert [path.name for path in sample.path.parent.iterdir()] == ["config.toml"]


@needs_modes
def test_a_read_only_folder_is_told_with_its_path(sample: ConfigFile) -> None:
    store = PreferenceStore(sample)
    told = problems(store)
    sample.path.parent.chmod(0o500)
    try:
        with modes_obeyed():
            store.change(scheme="light")
    finally:
        sample.path.parent.chmod(0o700)
    assert store.value.scheme == "light"
    assert str(sample.path) in told[0].message
    assert sample.path.read_text("utf-8") == SAMPLE


def test_a_folder_that_cannot_be_made_is_told_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    store = PreferenceStore(ConfigFile(tmp_path / "taken" / "config.toml"))
    told = problems(store)
    store.change(scheme="light")
    assert store.value.scheme == "light"
    assert str(tmp_path / "taken") in told[0].message


def test_a_link_to_the_file_stays_one(sample: ConfigFile, tmp_path: Path) -> None:
    link = tmp_path / "config.toml"
    link.symlink_to(sample.path)
    PreferenceStore(ConfigFile(link)).change(scheme="light")
    assert link.is_symlink()
    assert PreferenceStore(sample).value.scheme == "light"
