"""Names of models and where they are."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from engine.errors import EngineError, ModelError
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import STARTER, Defaults, downloaded_path
from engine.models.catalog.file import CatalogFile
from engine.paths import config_dir, resource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that could hold a checkpoint."""
    made = tmp_path / "客户 03" / "瓶盖"
    made.mkdir(parents=True)
    return made


def write(text: str | bytes) -> Path:
    """Edit `models.toml` by hand, with an editor that replaces it."""
    path = config_dir() / "models.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(text.encode() if isinstance(text, str) else text)
    beside.replace(path)
    return path


def test_the_starter_is_always_there() -> None:
    assert Catalog().names == (STARTER,)
    assert Catalog().path(STARTER) == resource("starter")


def test_folders_of_the_same_name_get_numbers_and_the_same_folder_its_name_again(tmp_path: Path) -> None:
    catalog = Catalog()
    for parent in ("a", "b"):
        (tmp_path / parent / "瓶盖").mkdir(parents=True)
    assert catalog.admit(tmp_path / "a" / "瓶盖") == "瓶盖"
    assert catalog.admit(tmp_path / "b" / "瓶盖") == "瓶盖 2"
    assert catalog.admit(tmp_path / "b" / ".." / "a" / "瓶盖") == "瓶盖"
    assert catalog.name_of(str(tmp_path / "b" / "瓶盖")) == "瓶盖 2"
    assert catalog.path("瓶盖 2") == tmp_path / "b" / "瓶盖"
    assert not catalog.file.exists()


@pytest.mark.parametrize("name", ["yolo", "", "../x", "a\0b", "x" * 100_000], ids=lambda name: repr(name[:9]))
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        Catalog().name_of(name)
    assert "one of starter" in caught.value.message
    assert len(caught.value.message) < 300


def test_what_is_added_is_there_in_the_next_run_with_its_defaults(folder: Path, tmp_path: Path) -> None:
    defaults = Defaults(0.4, 50, frozenset({"瓶盖", "cork"}))
    (tmp_path / "export.onnx").write_bytes(b"")
    assert Catalog().add(folder, defaults=defaults) == "瓶盖"
    assert Catalog().add(tmp_path / "export.onnx") == "export"
    assert Catalog().add("https://huggingface.co/facebook/detr-resnet-50", "R50", revision="v1") == "R50"
    again = Catalog()
    assert again.names == (STARTER, "瓶盖", "export", "R50")
    assert again.path("瓶盖") == folder
    assert again.defaults("瓶盖") == defaults
    assert again.defaults("export") == Defaults()
    assert [(entry.kind, entry.revision) for entry in again.entries[1:]] == [
        ("folder", ""),
        ("onnx", ""),
        ("hub", "v1"),
    ]
    assert again.name_of("facebook/detr-resnet-50") == "R50"


def test_adding_what_is_there_changes_nothing_but_its_defaults(folder: Path) -> None:
    catalog = Catalog()
    catalog.add(folder, "caps")
    before = catalog.file.read_bytes()
    assert catalog.add(folder) == "caps"
    assert catalog.file.read_bytes() == before
    assert catalog.add(folder, defaults=Defaults(top_k=3)) == "caps"
    assert catalog.defaults("caps") == Defaults(top_k=3)
    assert catalog.add(folder, "caps, strict", Defaults(0.9)) == "caps, strict"
    assert catalog.names == (STARTER, "caps", "caps, strict")


def test_a_folder_of_this_run_that_is_added_keeps_its_name(folder: Path, tmp_path: Path) -> None:
    catalog = Catalog()
    (tmp_path / "瓶盖").mkdir()
    catalog.admit(folder)
    assert catalog.admit(tmp_path / "瓶盖") == "瓶盖 2"
    assert not catalog.is_kept("瓶盖 2")
    assert catalog.add(tmp_path / "瓶盖") == "瓶盖 2"
    assert (catalog.is_kept("瓶盖 2"), catalog.is_kept("瓶盖")) == (True, False)
    assert Catalog().names == (STARTER, "瓶盖 2")
    assert catalog.names == (STARTER, "瓶盖 2", "瓶盖")


def test_a_name_of_this_run_means_the_same_whatever_the_file_says(folder: Path, tmp_path: Path) -> None:
    catalog = Catalog()
    catalog.admit(folder)
    write(f"['瓶盖']\nfolder = '{tmp_path}'\n")
    assert catalog.path("瓶盖") == folder
    assert Catalog().path("瓶盖") == tmp_path


def test_a_model_on_the_hub_is_where_the_download_puts_it() -> None:
    catalog = Catalog()
    catalog.add("PekingU/rtdetr_r18vd")
    with pytest.raises(ModelError, match="download it first"):
        catalog.path("rtdetr_r18vd")
    downloaded_path("PekingU/rtdetr_r18vd").mkdir(parents=True)
    assert catalog.path("rtdetr_r18vd").name == "PekingU--rtdetr_r18vd"


def test_rename_and_remove(folder: Path) -> None:
    catalog = Catalog()
    catalog.add(folder, defaults=Defaults(0.3))
    assert catalog.rename("瓶盖", "caps v2") == "caps v2"
    assert catalog.names == Catalog().names == (STARTER, "caps v2")
    assert catalog.defaults("caps v2") == Defaults(0.3)
    with pytest.raises(ModelError, match="no model 瓶盖"):
        catalog.path("瓶盖")
    removed = catalog.remove("caps v2")
    assert removed is not None
    assert removed.path == folder
    assert folder.is_dir()
    assert catalog.names == Catalog().names == (STARTER,)


def test_models_of_this_run_are_renamed_removed_and_given_defaults_too(folder: Path) -> None:
    catalog = Catalog()
    catalog.rename(catalog.admit(folder), "caps")
    catalog.set_defaults("caps", Defaults(0.2))
    assert (catalog.names, catalog.defaults("caps")) == ((STARTER, "caps"), Defaults(0.2))
    catalog.remove("caps")
    assert catalog.names == (STARTER,)
    assert not catalog.file.exists()


def test_the_starter_keeps_its_name_and_place_but_has_defaults(folder: Path) -> None:
    catalog = Catalog()
    for change in (
        lambda: catalog.remove(STARTER),
        lambda: catalog.rename(STARTER, "x"),
        lambda: catalog.add(folder, STARTER),
        lambda: catalog.put(STARTER, folder),
        lambda: catalog.rename(catalog.add(folder), STARTER),
    ):
        with pytest.raises(ModelError):
            change()
    assert catalog.add(resource("starter")) == STARTER
    catalog.set_defaults(STARTER, Defaults(0.4))
    assert Catalog().defaults(STARTER) == Defaults(0.4)
    assert Catalog().path(STARTER) == resource("starter")
    catalog.set_defaults(STARTER, Defaults())
    assert catalog.defaults(STARTER) == Defaults()


@pytest.mark.parametrize(
    "name", ["", "   ", "a/b", "a\\b", "..", "a\nb", "a\0b", "x" * 101, " x", "\u202e", "瓶盖\t", "\ud800"], ids=ascii
)
def test_names_that_cannot_be(name: str, folder: Path) -> None:
    catalog = Catalog()
    with pytest.raises(ModelError) as caught:
        catalog.add(folder, name)
    assert caught.value.code == "model_name"
    assert caught.value.message.isprintable()
    assert not catalog.file.exists()


@pytest.mark.parametrize("name", ["瓶盖 v1.2", "a.b", "[x]", 'say "hi"', "it's", "#1", "a=b", "🐈", "-1", "true"])
def test_names_that_can_be(name: str, folder: Path) -> None:
    catalog = Catalog()
    catalog.add(folder, "first")
    catalog.rename("first", name)
    catalog.set_defaults(name, Defaults(0.25))
    assert Catalog().names == (STARTER, name)
    assert Catalog().defaults(name) == Defaults(0.25)
    catalog.rename(name, "last")
    catalog.remove("last")
    assert catalog.file.read_text("utf-8").strip() == ""


def test_a_name_written_in_two_unicode_ways_is_one(folder: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    write(f"['{decomposed}']\nfolder = '{folder}'\n")
    catalog = Catalog()
    assert catalog.names == (STARTER, composed)
    assert catalog.name_of(decomposed) == composed
    catalog.set_defaults(composed, Defaults(0.1))
    assert Catalog().defaults(composed) == Defaults(0.1)
    catalog.remove(composed)
    assert Catalog().names == (STARTER,)


def test_the_file_is_followed_and_every_change_is_told_once(folder: Path) -> None:
    catalog = Catalog()
    first = catalog.refresh()
    assert catalog.refresh() == first
    write(f"[caps]\nfolder = '{folder}'\n")
    assert catalog.names == (STARTER, "caps")
    second = catalog.refresh()
    assert first != second == catalog.refresh()
    write(f"[caps]\nfolder = '{folder}'\nthreshold = 0.3\n")
    assert catalog.defaults("caps") == Defaults(0.3)
    catalog.admit(folder.parent)
    assert catalog.refresh() not in (first, second)
    catalog.file.unlink()
    assert catalog.names == (STARTER, folder.parent.name)


def test_a_broken_file_leaves_the_models_and_refuses_changes(folder: Path, tmp_path: Path) -> None:
    catalog = Catalog()
    catalog.add(folder, "caps", Defaults(0.3))
    broken = b"# mine\n[caps]\nfolder = '/x\n"
    path = write(broken)
    assert (catalog.names, catalog.path("caps"), catalog.defaults("caps")) == (
        (STARTER, "caps"),
        folder,
        Defaults(0.3),
    )
    assert catalog.problem is not None
    assert (catalog.problem.params["line"], catalog.problem.params["column"]) == (3, 10)
    for change in (
        lambda: catalog.add(tmp_path),
        lambda: catalog.rename("caps", "x"),
        lambda: catalog.remove("caps"),
        lambda: catalog.set_defaults("caps", Defaults()),
    ):
        with pytest.raises(EngineError, match="line 3, column 10"):
            change()
    assert path.read_bytes() == broken
    assert catalog.admit(tmp_path)
    write(b"# mine\n[caps]\nfolder = '/x'\n")
    assert catalog.problem is None
    assert catalog.path("caps") == Path("/x")


def test_an_unknown_name_is_answered_with_what_is_wrong_with_the_file(folder: Path) -> None:
    write("[caps\n")
    with pytest.raises(EngineError, match="line 1"):
        Catalog().name_of("caps")
    write(f"[caps]\nfolder = '{folder}'\nthreshold = 7\n")
    with pytest.raises(EngineError, match="line 3, column 13: the entry of caps cannot be used: the threshold"):
        Catalog().name_of("caps")


def test_a_wrong_entry_costs_no_other_and_stays_as_it_was_before(folder: Path) -> None:
    good = f"[caps]\nfolder = '{folder}'\nthreshold = 0.3\n\n[other]\nfolder = '/x'\n"
    write(good)
    catalog = Catalog()
    assert not catalog.notes
    write(good.replace("0.3", '"high"').replace("/x", "/y"))
    assert catalog.defaults("caps") == Defaults(0.3)
    assert catalog.path("other") == Path("/y")
    assert [note.params["line"] for note in catalog.notes] == [3]
    catalog.set_defaults("other", Defaults(0.5))
    assert 'threshold = "high"' in catalog.file.read_text("utf-8")
    assert Catalog().names == (STARTER, "other")
    assert catalog.remove("caps") is None
    assert catalog.names == (STARTER, "other")


def test_two_programs_and_many_threads_lose_nothing(tmp_path: Path) -> None:
    for at in range(24):
        (tmp_path / f"m{at}").mkdir()
    programs = [Catalog(), Catalog(), Catalog()]

    def add_some(first: int) -> None:
        for at in range(first, 24, 6):
            programs[at % 3].add(tmp_path / f"m{at}")

    threads = [threading.Thread(target=add_some, args=(first,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name for name in Catalog().names if name != STARTER} == {f"m{at}" for at in range(24)}
    assert programs[0].names == Catalog().names


def test_many_threads_may_ask_while_others_change(tmp_path: Path) -> None:
    catalog = Catalog()
    wrong: list[BaseException] = []
    over = threading.Event()

    def ask() -> None:
        try:
            while not over.wait(0.001):
                for name in catalog.names:
                    catalog.defaults(name)
                catalog.name_of(STARTER)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for at in range(8):
        (tmp_path / f"m{at}").mkdir()
        catalog.admit(tmp_path / f"m{at}")
        catalog.rename(catalog.add(tmp_path / f"m{at}"), f"模型 {at}")
    for at in range(8):
        catalog.remove(f"模型 {at}")
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert catalog.names == (STARTER,)


def test_whoever_holds_the_file_too_long_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.catalog.file._PATIENCE", 0.05)
    with CatalogFile().changing(), pytest.raises(EngineError, match="Another program"):
        Catalog().add(folder)


def test_an_editor_that_saves_in_the_middle_of_a_change_wins(folder: Path) -> None:
    by_hand = "# by hand\n"

    def change() -> None:
        with CatalogFile().changing() as draft:
            draft.add("caps", {"folder": str(folder)})
            write(by_hand)

    with pytest.raises(EngineError, match="Another program"):
        change()
    assert Catalog().file.read_text("utf-8") == by_hand


def test_a_link_stays_a_link(folder: Path, tmp_path: Path) -> None:
    """`current -> 2026-11-03` follows when it is pointed elsewhere; the file may be a link too."""
    link = tmp_path / "current"
    link.symlink_to(folder)
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "models.toml").symlink_to(real)
    catalog = Catalog()
    assert catalog.add(link) == "current"
    assert catalog.path("current") == link
    assert catalog.add(folder) == "current"
    assert catalog.file.is_symlink()
    assert "current" in real.read_text("utf-8")


def test_a_folder_whose_name_is_no_unicode_is_used_but_not_kept(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    odd.mkdir()
    catalog = Catalog()
    name = catalog.admit(odd)
    assert name.isprintable()
    with pytest.raises(EngineError, match="Unicode"):
        catalog.add(odd)
    assert catalog.path(name) == odd
