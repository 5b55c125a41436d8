"""Folders, lists and patterns as they are in the wild."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest

from engine.detect.detection import Filter
from engine.detect.same_name import existing_twin, same_name
from engine.errors import SourceError
from engine.export.classes import ExportClasses
from engine.image.list_file import read_list
from engine.image.listing import ListingNotes, expand_sources
from engine.image.source import parse_source, read_source
from engine.models.checkpoint.labels import read_labels
from engine.models.onnx.class_names import parse_names


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def found_in(*given: str | Path, notes: ListingNotes | None = None) -> list[str]:
    return [source.name for source in expand_sources(given, notes)]


def told(notes: ListingNotes) -> list[str]:
    return [note.message for note in notes.told()]


@pytest.mark.parametrize(
    "name",
    ["@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__MACOSX", ".thumbnails"]
    + ["@EADIR", "@Recycle", "$Recycle.Bin", "RECYCLER", "#snapshot", ".Trash-1000", ".git", "_gsdata_"],
)
def test_folders_that_systems_keep_for_themselves_are_not_walked(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "a.jpg", f"{name}/b.jpg", f"deep/{name}/a.jpg/SYNOPHOTO_THUMB_M.jpg", "deep/c.jpg")
    assert found_in(tmp_path) == ["a.jpg", "c.jpg"]
    assert found_in(tmp_path / name) == ["b.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")
def test_links_to_folders_are_followed_once_each_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, "disk/1.jpg", "disk/sub/2.jpg", "set/3.jpg", "set/z/4.jpg")
    links = {"all": "disk", "again": "disk", "sub": "disk/sub", "loop": "set", "up": ".", "own": "set/z"}
    for name, target in links.items():
        (tmp_path / "set" / name).symlink_to(tmp_path / target, target_is_directory=True)
    (tmp_path / "disk" / "round").symlink_to(tmp_path / "disk", target_is_directory=True)
    (tmp_path / "set" / "nowhere").symlink_to(tmp_path / "gone", target_is_directory=True)
    notes = ListingNotes()
    assert sorted(found_in(tmp_path / "set", notes=notes)) == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    assert found_in(tmp_path / "set")[:2] == ["3.jpg", "4.jpg"]
    assert told(notes) == [f"Folders reached through links: {notes.links}."]
    assert 1 <= notes.links <= len(links)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")
def test_a_linked_folder_that_is_there_anyhow_is_no_link(tmp_path: Path) -> None:
    touch(tmp_path, "b/1.jpg")
    (tmp_path / "a").symlink_to(tmp_path / "b", target_is_directory=True)
    notes = ListingNotes()
    assert [Path(source.location).parent.name for source in expand_sources([tmp_path], notes)] == ["b"]
    assert told(notes) == []


LINES = {
    "img/a.jpg 10,20,30,40,0 50,60,70,80,1": "img/a.jpg",
    "img/a.jpg\t3": "img/a.jpg",
    "img/a.jpg,cat": "img/a.jpg",
    "img/a.jpg;cat": "img/a.jpg",
    "img/a.jpg | cat": "img/a.jpg",
    "img/with blank.JPG 0 0.5 0.5 1 1": "img/with blank.JPG",
    "img/with blank.JPG": "img/with blank.JPG",
    "img/a.jpg mask/a.png": "img/a.jpg",
    '"img/with blank.JPG" 3': "img/with blank.JPG",
    "'img/with blank.JPG'": "img/with blank.JPG",
    '"img/a.jpg","cat"': "img/a.jpg",
    r"img\a.jpg 1": "img/a.jpg",
    r".\img\a.jpg": "img/a.jpg",
    "./img/a.jpg": "img/a.jpg",
    "  img/a.jpg  ": "img/a.jpg",
    "img/a.tar.jpg 1": "img/a.tar.jpg",
    "img/x.jpg.png 1": "img/x.jpg.png",
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("place", [".", "lists", "lists/deep"])
def test_lines_as_trainers_write_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, place: str) -> None:
    """Relative to the list, to the folder above it, or to the working folder."""
    touch(tmp_path, "img/a.jpg", "img/with blank.JPG", "mask/a.png", "img/a.tar.jpg", "img/x.jpg.png")
    monkeypatch.chdir(tmp_path)
    listing = tmp_path / place / "train.txt"
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.write_text(f"# made by a trainer\n{line}\nimg/gone.jpg 1\n\nheader,label\n")
    notes = ListingNotes()
    first, second = expand_sources([listing], notes)
    assert Path(first.location).resolve() == tmp_path / LINES[line]
    assert Path(second.location).resolve() == tmp_path / "img/gone.jpg"
    assert told(notes) == ["Lines of train.txt that name no image: 1."]


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("https://host.test/a.jpg 3", "https://host.test/a.jpg"),
        ("https://host.test/a.jpg?x=1,2#y", "https://host.test/a.jpg?x=1,2#y"),
        ('"https://host.test/a.jpg" 3', "https://host.test/a.jpg"),
        ("https://host.test/image?id=5 cat", "https://host.test/image?id=5"),
    ],
)
def test_labels_behind_an_address(tmp_path: Path, line: str, url: str) -> None:
    (tmp_path / "urls.txt").write_text(line)
    assert [source.location for source in expand_sources([tmp_path / "urls.txt"])] == [url]


def test_the_folder_where_most_exist_is_taken_for_all(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "2.jpg", "sets/1.jpg")
    (tmp_path / "sets" / "val.txt").write_text("1.jpg\n2.jpg\n3.jpg\n")
    found = expand_sources([tmp_path / "sets" / "val.txt"])
    assert [Path(source.location).parent for source in found] == [tmp_path] * 3


def test_a_list_of_many_lines_takes_little_time(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("".join(f"gone/{number}.jpg {'9 ' * 20}\n" for number in range(50_000)))
    listed = read_list(str(tmp_path / "many.txt"), "many.txt")
    assert (len(listed.entries), listed.passed_over) == (50_000, 0)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jpg", ["a1.jpg", "a2.jpg", "a10.jpg"]),
        ("a?.jpg", ["a1.jpg", "a2.jpg"]),
        ("a[12].*", ["a1.jpg", "a2.jpg", "a2.png"]),
        ("sub*", ["b.png"]),
        ("**/*.png", ["a2.png", "b.png"]),
        ("*", ["a1.jpg", "a2.jpg", "a2.png", "a10.jpg", "b.png"]),
        ("l*.txt", ["a1.jpg"]),
    ],
)
def test_wildcards_that_the_shell_left_alone(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    touch(tmp_path, "a1.jpg", "a2.jpg", "a10.jpg", "a2.png", "sub/b.png", "notes.md")
    (tmp_path / "list.txt").write_text("a1.jpg\n")
    assert sorted(found_in(str(tmp_path / pattern))) == sorted(expected)
    if "*" not in pattern[:2]:
        assert found_in(str(tmp_path / pattern)) == expected


def test_a_name_with_brackets_is_a_name_first(tmp_path: Path) -> None:
    touch(tmp_path, "a[1].jpg", "a1.jpg")
    assert found_in(str(tmp_path / "a[1].jpg")) == ["a[1].jpg"]


def test_a_pattern_that_matches_nothing_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "notes.md")
    for pattern in ("*.jpg", "*.md", "gone/*"):
        with pytest.raises(SourceError) as caught:
            expand_sources([str(tmp_path / pattern)])
        assert caught.value.code == "nothing_matches"
        assert caught.value.message.startswith(f"No image matches {Path(pattern).name};")


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Café Ñandú") for form in ("NFC", "NFD"))
SPELLINGS = [COMPOSED, DECOMPOSED, f"{COMPOSED} ", f" {DECOMPOSED}", f"{DECOMPOSED}\u3000", f"{COMPOSED}\u00a0"]


@pytest.mark.parametrize("asked", SPELLINGS)
@pytest.mark.parametrize("stored", [COMPOSED, DECOMPOSED, f"{COMPOSED} "])
@pytest.mark.skipif(sys.platform != "linux", reason="file systems that keep every spelling")
def test_a_file_is_found_by_every_spelling_of_its_name(tmp_path: Path, asked: str, stored: str) -> None:
    touch(tmp_path, f"{stored}/{stored}.jpg")
    (tmp_path / "list.txt").write_text(f"{asked}/{asked}.jpg \n")
    for source in (parse_source(str(tmp_path / asked / f"{asked}.jpg")), *expand_sources([tmp_path / "list.txt"])):
        assert read_source(source)
        assert Path(source.location) == tmp_path / stored / f"{stored}.jpg"
    assert existing_twin(str(tmp_path / asked / "other.jpg")) is None


@pytest.mark.skipif(sys.platform != "linux", reason="file systems that keep every spelling")
def test_of_twins_each_is_itself(tmp_path: Path) -> None:
    touch(tmp_path, f"{COMPOSED}.jpg", f"{DECOMPOSED}.jpg")
    for name in (COMPOSED, DECOMPOSED):
        assert parse_source(str(tmp_path / f"{name}.jpg")).location == str(tmp_path / f"{name}.jpg")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_class_is_one_in_every_spelling(spelling: str) -> None:
    assert same_name(spelling) == COMPOSED
    assert read_labels({"id2label": {"0": spelling}}) == {0: COMPOSED}
    assert parse_names(f'["{spelling}", "other"]')[0] == COMPOSED
    assert Filter(labels=frozenset({spelling})).labels == {COMPOSED}
    classes = ExportClasses.of({0: "other", 1: COMPOSED}, [spelling, "new", "new "])
    assert dict(classes.names) == {0: "other", 1: COMPOSED, 2: "new"}
    assert (classes.id_of(9, spelling), classes.id_of(9, " new")) == (1, 2)


def test_a_name_of_blanks_stays() -> None:
    assert (same_name(""), same_name("  ")) == ("", "  ")
    assert existing_twin(os.curdir + "\0") is None
