"""Parsing, listing and reading of sources."""

from __future__ import annotations

import base64
import codecs
import os
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.errors import CancelledError, SourceError
from engine.image.fetch_policy import FetchPolicy
from engine.image.folder_walk import natural_order
from engine.image.limits import Limits
from engine.image.listing import expand_sources, walk_images, walk_sources
from engine.image.source import (
    Source,
    decode_base64,
    parse_source,
    read_source,
)


def code_of(given: Any, limits: Limits | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        read_source(parse_source(given), limits or Limits())
    assert caught.value.message.endswith(".")
    assert "/" not in caught.value.message.replace("http://", "").replace("https://", "")
    return caught.value.code


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ("https://host.test/shelf/a%20b.jpg?x=1#y", "url", "a b.jpg"),
        ("HTTP://host.test", "url", "host.test"),
        (" http://host.test/ \n", "url", "host.test"),
        ("photos/a.jpg", "path", "a.jpg"),
        ("猫.jpg", "path", "猫.jpg"),
        (Path("photos/a.jpg"), "path", "a.jpg"),
        (b"bytes", "bytes", "pasted image"),
        ("data:image/png;base64,AAAA", "data", "data URI"),
    ],
)
def test_each_kind_is_recognised(given: Any, kind: str, name: str) -> None:
    source = parse_source(given)
    assert (source.kind, source.name) == (kind, name)
    assert parse_source(source) is source


def test_file_urls_and_home_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    file = tmp_path / "a 猫.jpg"
    file.write_bytes(b"image")
    for given in (file.as_uri(), file.as_uri().replace("file://", "FILE://localhost"), "~/a 猫.jpg", str(file), file):
        assert read_source(parse_source(given)) == b"image"


@pytest.mark.parametrize("given", ["ftp://host.test/a.jpg", "s3://bucket/a", "file://other.test/a.jpg"])
def test_other_schemes_are_refused(given: str) -> None:
    """FAULTS 19: other schemes."""
    assert code_of(given) == "url_not_http"


@pytest.mark.parametrize(
    "uri",
    [
        "data:image/png;base64,{}",
        "DATA:IMAGE/PNG;BASE64,{}",
        "data:;base64,{}",
        "data:image/png;name=a.png;charset=utf-8;base64,{}",
        "data:image/png; base64 ,{}",
        "\n data:image/png;base64,{}\n",
    ],
)
def test_data_uris(uri: str) -> None:
    """FAULTS 11: with parameters or an upper-case scheme."""
    body = bytes(range(256))
    plain = base64.b64encode(body).decode()
    for text in (
        plain,
        plain.rstrip("="),
        plain.replace("+", "%2B").replace("/", "%2f"),
        "\r\n".join((plain[:76], plain[76:])),
    ):
        assert read_source(parse_source(uri.format(text))) == body


def test_a_data_uri_may_be_percent_encoded() -> None:
    assert read_source(parse_source("data:image/svg+xml,%3Csvg%20a%3D%22base64%22/%3E")) == b'<svg a="base64"/>'


@pytest.mark.parametrize("uri", ["data:", "data:image/png;base64", "data:image/png;base64;AAAA"])
def test_a_data_uri_without_a_comma(uri: str) -> None:
    """FAULTS 11: without a comma."""
    assert code_of(uri) == "bad_data_uri"


@pytest.mark.parametrize("body", ["A", "AAAAA", "AA!A", "AA=A", "猫"])
def test_bad_base64(body: str) -> None:
    """FAULTS 11: bad base64."""
    assert code_of(f"data:image/png;base64,{body}") == "bad_base64"


def test_base64_of_an_image_needs_no_scheme(files: dict[str, bytes], tmp_path: Path, monkeypatch: Any) -> None:
    image = files["png"]
    plain = base64.b64encode(image).decode()
    for text in (
        plain,
        base64.urlsafe_b64encode(image).decode(),
        plain.rstrip("="),
        f"\n{plain[:60]}\r\n {plain[60:]}\n",
    ):
        source = parse_source(text)
        assert (source.kind, read_source(source)) == ("data", image)
    assert parse_source(base64.b64encode(b"no image at all").decode()).kind == "path"
    monkeypatch.chdir(tmp_path)
    short = base64.b64encode(b"GIF89a").decode()
    Path(short).write_bytes(b"a file")
    assert parse_source(short).kind == "path"


def test_what_is_wrong_with_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345678")
    assert code_of(tmp_path / "missing.jpg") == "file_not_found"
    assert code_of(tmp_path / "file" / "below") == "file_not_found"
    assert code_of("nul\0byte.jpg") == "file_not_found"
    assert code_of("x" * 5000) in {"file_not_found", "file_not_readable"}
    assert code_of("") == "file_not_found"
    assert code_of(tmp_path) == "file_is_folder"
    assert code_of(tmp_path / "file", Limits(max_bytes=7)) == "too_many_bytes"
    assert read_source(parse_source(tmp_path / "file"), Limits(max_bytes=8)) == b"12345678"


def test_the_message_names_the_file_alone(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read_source(parse_source(tmp_path / "猫.jpg"))
    assert caught.value.message == "There is no file 猫.jpg; check its name."


@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
def test_special_files_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    started = time.monotonic()
    assert code_of(tmp_path / "pipe.jpg") == "file_not_regular"
    assert code_of("/dev/zero") == "file_not_regular"
    assert time.monotonic() - started < 1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.jpg"
    file.write_bytes(b"image")

    def refuse(*args: Any) -> int:
        raise PermissionError(13, "no", str(file))

    monkeypatch.setattr(os, "open", refuse)
    assert code_of(file) == "file_not_readable"


def test_a_name_that_cannot_be_printed(tmp_path: Path) -> None:
    source = parse_source(Path(os.fsdecode(b"bad\xff\n.jpg")))
    assert source.name.isprintable()
    source.name.encode()


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(CancelledError):
        read_source(parse_source(tmp_path / "file"), cancelled=lambda: True)


def test_urls_are_fetched_by_the_policy(site: Any, canary: Any, reply: Any) -> None:
    site.pages["/a.jpg"] = reply(b"image")
    source = parse_source(site.url("/a.jpg", "127.0.0.1"))
    assert read_source(source, fetch_policy=FetchPolicy(allow_private=True)) == b"image"
    assert code_of(canary.url("/", "127.0.0.1")) == "url_refused"
    assert canary.hits == []


def test_folders_become_their_images_in_natural_order(tmp_path: Path) -> None:
    for name in (
        "img10.jpg",
        "img2.JPG",
        "IMG1.png",
        "notes.txt",
        ".hidden.jpg",
        "b/2.webp",
        "a/10.tif",
        "a/9.avif",
        ".git/a.png",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = expand_sources([tmp_path, "other.xyz", "http://host.test/a.jpg", b"bytes"])
    paths = [Path(source.location).relative_to(tmp_path).as_posix() for source in found[:6]]
    assert paths == ["IMG1.png", "img2.JPG", "img10.jpg", "a/9.avif", "a/10.tif", "b/2.webp"]
    assert [source.kind for source in found[6:]] == ["path", "url", "bytes"]
    assert all(isinstance(source, Source) for source in found)


def test_folders_that_cannot_be_read_and_links_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS 36: unreadable entries."""
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir()
    (tmp_path / "open" / "a.jpg").touch()
    (tmp_path / "open" / "loop").symlink_to(tmp_path, target_is_directory=True)
    scan = os.scandir

    def refuse_closed(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "no")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse_closed)
    assert [source.name for source in expand_sources([tmp_path])] == ["a.jpg"]


def test_long_base64_is_worked_on_in_pieces_that_fit_together() -> None:
    data = bytes(range(256)) * 13_000
    text = base64.b64encode(data).decode()
    assert decode_base64(text) == data
    assert decode_base64("\n".join(text[at : at + 77] for at in range(0, len(text), 77))) == data
    assert decode_base64(text.rstrip("=")) == data
    with pytest.raises(SourceError):
        decode_base64("A" * ((1 << 20) - 2) + "==" + "QUJD")


def test_numbers_in_names_are_compared_as_numbers() -> None:
    def textbook(name: str) -> Any:
        parts = re.split(r"([0-9]+)", name.casefold())
        return [int(part) if at % 2 else part for at, part in enumerate(parts)], name

    chance = random.Random(5)
    names = ["".join(chance.choices("aB-0129 图", k=chance.randint(1, 6))) for _ in range(2000)]
    assert sorted(names, key=natural_order) == sorted(names, key=textbook)


def test_a_large_folder_comes_in_batches_and_the_first_one_early(tmp_path: Path) -> None:
    for number in range(1200):
        (tmp_path / f"img{number}.jpg").touch()
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "last.png").touch()
    batches = list(walk_images(tmp_path, lambda: False))
    assert len(batches) > 1
    assert all(batches)
    found = [source for batch in batches for source in batch]
    assert [source.name for source in found] == [*(f"img{number}.jpg" for number in range(1200)), "last.png"]
    assert found == expand_sources([tmp_path])


def test_the_first_folder_with_images_does_not_wait_for_the_others(tmp_path: Path) -> None:
    for name in ("a/x.txt", "b/1.jpg", "c/2.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    walk = walk_images(tmp_path, lambda: False)
    assert [source.name for source in next(walk)] == ["1.jpg"]
    (tmp_path / "c" / "2.jpg").unlink()
    (tmp_path / "c").rmdir()
    assert list(walk) == []


def test_a_walk_can_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a.jpg").touch()
    answers = iter([False, True])
    walk = walk_sources([tmp_path], lambda: next(answers))
    assert [source.name for source in next(walk)] == ["a.jpg"]
    with pytest.raises(CancelledError):
        next(walk)


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no UTF-8")
def test_names_in_a_broken_encoding_are_walked_too(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff 1.jpg")).write_bytes(b"image")
    [source] = expand_sources([tmp_path])
    assert source.name.isprintable()
    assert read_source(source) == b"image"


LIST = """# what the shelf camera saw
https://host.test/1.jpg?x=1

  图片/二.png
"gone.jpg"
FILE:///srv/three.jpg
folder
no image, just words
"""


@pytest.mark.parametrize(
    "content",
    [
        LIST.encode(),
        codecs.BOM_UTF8 + LIST.encode(),
        LIST.replace("\n", "\r\n").encode("gbk"),
        LIST.encode("utf-16"),
    ],
)
@pytest.mark.parametrize("name", ["urls.txt", "清单.LST"])
def test_a_list_stands_for_what_its_lines_name(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / "folder").mkdir()
    for inside in ("folder/a.jpg", "folder/b.jpg"):
        (tmp_path / inside).touch()
    (tmp_path / name).write_bytes(content)
    found = expand_sources(["first.jpg", tmp_path / name, "last.jpg"])
    assert [(source.kind, source.name) for source in found] == [
        ("path", "first.jpg"),
        ("url", "1.jpg"),
        ("path", "二.png"),
        ("path", "gone.jpg"),
        ("path", "three.jpg"),
        ("path", "a.jpg"),
        ("path", "b.jpg"),
        ("path", "last.jpg"),
    ]
    assert found[2].location == str(tmp_path / "图片/二.png")
    assert found[4].location == "/srv/three.jpg"


def test_a_line_that_leads_nowhere_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text("file://elsewhere/a.jpg\n~nobody-of-that-name/b.jpg\nhttp://[::1/c.jpg\n")
    found = expand_sources([tmp_path / "urls.txt"])
    assert [source.name for source in found] == ["a.jpg", "b.jpg", "c.jpg"]
    for source in found:
        with pytest.raises(SourceError):
            read_source(source)


def test_what_is_wrong_with_a_list_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = tmp_path / "readme.txt"
    for content, code in (
        (b"", "list_empty"),
        (b"# http://host.test/a.jpg\nprose and\0more of it\n", "list_empty"),
        (bytes(17 << 20), "list_too_large"),
    ):
        listing.write_bytes(content)
        with pytest.raises(SourceError) as caught:
            expand_sources([listing])
        assert caught.value.code == code
        assert "readme.txt" in caught.value.message
    assert expand_sources([tmp_path / "no.txt"])[0].name == "no.txt"
