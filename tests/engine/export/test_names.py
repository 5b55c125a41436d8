"""File names of an export: relative, unique, valid on every file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.export.names import ExportName, export_names, safe_name
from engine.image.source import Source, parse_source


def path_source(location: str) -> Source:
    return Source("path", location.rpartition("/")[2], location)


def names(*locations: str) -> list[ExportName]:
    return export_names([path_source(location) for location in locations])


def test_paths_are_below_the_common_folder() -> None:
    assert names("/data/图 集/a/1.jpg", "/data/图 集/b/1.jpg", "/data/图 集/2.x.png") == [
        ExportName("a/1.jpg", "a/1"),
        ExportName("b/1.jpg", "b/1"),
        ExportName("2.x.png", "2.x"),
    ]
    assert names("/data/1.jpg") == [ExportName("1.jpg", "1")]


def test_where_only_the_root_is_common_files_are_numbered() -> None:
    assert names("/data/1.jpg", "/home/1.jpg") == [ExportName("/data/1.jpg", "1"), ExportName("/home/1.jpg", "1_2")]


def test_relative_paths_and_dot_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert names("a/../b/1.jpg", f"{tmp_path}/c/1.jpg") == [ExportName("b/1.jpg", "b/1"), ExportName("c/1.jpg", "c/1")]


def test_stems_are_unique_ignoring_case() -> None:
    given = names("/d/a_2.jpg", "/d/a.jpg", "/d/a.png", "/d/A.gif", "/d/a_3.jpg", "/d/a")
    stems = [name.stem for name in given]
    assert stems == ["a_2", "a", "a_4", "A_5", "a_3", "a_6"]
    assert [name.file_name for name in given] == ["a_2.jpg", "a.jpg", "a.png", "A.gif", "a_3.jpg", "a"]


def test_addresses_and_pasted_images_have_names_of_their_own() -> None:
    given = [
        parse_source("https://example.com/街/巴士.jpg?size=2"),
        parse_source("https://example.org/巴士.jpg"),
        Source("bytes", "pasted image", "pasted image"),
        Source("bytes", "pasted image", "pasted image"),
        parse_source("https://example.com/a%2F..%2F..%2Fb.png"),
    ]
    named = export_names(given)
    assert [name.stem for name in named][:4] == ["巴士", "巴士_2", "pasted image", "pasted image_2"]
    assert [name.file_name for name in named][:3] == ["巴士.jpg", "巴士_2.jpg", "pasted image"]
    assert "/" not in named[4].stem


def test_urls_and_files() -> None:
    file, address = export_names([path_source("/d/a/1.jpg"), parse_source("https://example.com/1.jpg")])
    assert (file, address) == (ExportName("1.jpg", "1"), ExportName("1_2.jpg", "1_2"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("二维码", "二维码"),
        ('a/b\\c:d*e?f"g<h>i|j\n', "a_b_c_d_e_f_g_h_i_j_"),
        ("..", "image"),
        (" . ", "image"),
        ("", "image"),
        ("CON", "_CON"),
        ("lpt1.txt", "_lpt1.txt"),
        ("name. ", "name"),
        ("\ud800", "?".replace("?", "_")),
    ],
)
def test_safe_names(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_a_long_name_is_cut_between_signs() -> None:
    name = safe_name("二" * 500)
    assert set(name) == {"二"}
    assert 195 <= len(os.fsencode(name)) <= 200


def test_fifty_thousand_sources_take_a_moment() -> None:
    given = names(*(f"/data/{at % 7}/{at}.jpg" for at in range(50_000)))
    assert len({name.stem for name in given}) == 50_000


def test_many_pasted_images_take_a_moment() -> None:
    given = export_names([Source("bytes", "pasted image", "pasted image")] * 5_000)
    assert given[-1].stem == "pasted image_5000"
