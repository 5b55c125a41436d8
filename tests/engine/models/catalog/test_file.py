"""`models.toml` as people write and break it: it is told where, and nothing of theirs is lost."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path

import pytest
import tomlkit

from engine.errors import EngineError
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import STARTER, Defaults
from engine.models.catalog.file import CatalogFile
from engine.paths import config_dir
from tests.conftest import PROJECT

HAND_WRITTEN = """\
# Models of line 3. Ask Ms Zhao before you change anything!

version = 2   # ours

# the good one
["瓶盖 v1"]   # since November
folder = '/data/2026-11-03 客户'     # on the NAS
# a little low, but they want it so
threshold = 0.30
labels = [
  "cap",    # the cap
  "cork",
]
owner = "赵"   # a key of our own

["瓶盖 v1".camera]
lens = "16 mm"

# downloaded
[r50]
hub = "facebook/detr-resnet-50"

inline = { folder = "/models/inline", top_k = 3 }   # ours too, inside r50

# the end
"""


def write(content: bytes | str) -> Path:
    path = config_dir() / "models.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        (b'[a]\nfolder = "/x\ntop_k = 3\n', 2, 13, "a quote has no end"),
        (b"[a]\nfolder = '/x\ntop_k = 3\n", 2, 10, "a quote has no end"),
        (b'[a]\n\nlabels = ["x",\n\n', 3, 10, "Invalid value"),
        (b'[a]\nowner = """\nx\n', 2, 9, "a quote has no end"),
        (b"[a\nfolder = '/x'\n", 1, 3, "Expected ']'"),
        (b"[a]\nfolder = /x\n", 2, 10, "Invalid value"),
        (b'[a]\nfolder = "C:\\models"\n', 2, 15, "single quotes"),
        (b'[a]\nfolder = "C:\\users"\n', 2, 15, "single quotes"),
        (b"[a]\nfolder = '/x'\n[b]\n[a]\n", 4, 3, "twice"),
        (b"[a]\nfolder = '/x'\nfolder = '/y'", 3, 10, "overwrite"),
        ("[é]\n".encode("latin-1"), 1, 2, "UTF-8"),
        ("[a]\n# 盖".encode("gb18030"), 2, 3, "UTF-8"),
        ("[a]\nfolder = '/x'\n".encode("utf-16"), 1, 1, "UTF-8"),
        (b"[a]\nfolder = '/x'\0\n", 2, 14, "after"),
        ("[a]\nfolder = '/x' # \u0007\n".encode(), 2, 17, "invalid character"),
    ],
)
def test_a_broken_file_is_told_with_line_and_column_and_is_not_touched(
    content: bytes, line: int, column: int, words: str, tmp_path: Path
) -> None:
    path = write(content)
    catalog = Catalog()
    problem = catalog.problem
    assert problem is not None
    assert problem.code == "models_broken"
    assert (problem.params["line"], problem.params["column"]) == (line, column)
    assert words in problem.message
    assert catalog.names == (STARTER,)
    with pytest.raises(EngineError):
        catalog.add(tmp_path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("entry", "line", "column", "words"),
    [
        ("folder = 5", 6, 10, "text in quotes"),
        ("folder = ''", 6, 10, "text in quotes"),
        ("folder = 'models/x'", 6, 10, "whole path"),
        ("onnx = 'x.onnx'", 6, 8, "whole path"),
        ("hub = 'detr'", 6, 7, "owner/name"),
        ("hub = '../../etc/passwd'", 6, 7, "owner/name"),
        ("weights = '/x'", 5, 1, "one of folder, onnx and hub"),
        ("folder = '/x'\nhub = 'a/b'", 5, 1, "one of folder, onnx and hub"),
        ("folder = '/x'\nthreshold = 7", 7, 13, "from 0 to 1"),
        ("folder = '/x'\nthreshold = nan", 7, 13, "from 0 to 1"),
        ("folder = '/x'\nthreshold = true", 7, 13, "from 0 to 1"),
        ("folder = '/x'\nthreshold = '0.5'", 7, 13, "from 0 to 1"),
        ("folder = '/x'\ntop_k = 0", 7, 9, "1 or more"),
        ("folder = '/x'\ntop_k = 1.5", 7, 9, "1 or more"),
        ("folder = '/x'\nlabels = 'cap'", 7, 10, "list of class names"),
        ("folder = '/x'\nlabels = [\n  'cap',\n  5]", 7, 10, "list of class names"),
        ("folder = '/x'\nrevision = 5", 7, 12, "text in quotes"),
    ],
)
def test_a_wrong_entry_is_told_with_line_and_column_and_the_others_work(
    entry: str, line: int, column: int, words: str
) -> None:
    text = f"# mine\n[good]\nfolder = '/good'\n\n  [bad]\n{entry}\n\n[also]\nhub = 'a/b'\n"
    if (line, column) == (5, 1):
        column = 3
    path = write(text)
    catalog = Catalog()
    assert catalog.problem is None
    assert catalog.names == (STARTER, "good", "also")
    (note,) = catalog.notes
    assert (note.code, note.params["line"], note.params["column"]) == ("model_entry", line, column)
    assert words in note.message
    catalog.set_defaults("also", Defaults(0.5))
    assert path.read_text("utf-8") == text + "threshold = 0.5\n"


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("x = 5\n", "x", 1),
        ("# a\n[[x]]\nfolder = '/x'\n", "x", 2),
        ("# a\n['a/b']\nfolder = '/x'\n", "a/b", 2),
        ('["a\\u0000b"]\nfolder = "/x"\n', "'a\\x00b'", 1),
        (f"['{'x' * 101}']\nfolder = '/x'\n", "x" * 101, 1),
        ("[starter]\nfolder = '/x'\n", "starter", 2),
        ("['caf\u00e9']\nfolder = '/x'\n['cafe\u0301']\nfolder = '/y'\n", "cafe\u0301", 3),
        ("[detr.v2]\nfolder = '/x'\n", "detr", 1),
    ],
)
def test_names_that_cannot_be_are_told(text: str, name: str, line: int) -> None:
    write(text)
    (note,) = Catalog().notes
    assert (note.params["name"], note.params["line"]) == (name, line)
    assert note.message.isprintable()


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"# nothing yet", b"\xef\xbb\xbf", b"\xef\xbb\xbf# mark\r\n", b"[starter]\nthreshold = 0.3\n"],
    ids=ascii,
)
def test_files_with_no_models_are_no_problem(content: bytes, tmp_path: Path) -> None:
    path = write(content)
    catalog = Catalog()
    assert (catalog.problem, catalog.notes, catalog.names) == (None, (), (STARTER,))
    catalog.add(tmp_path, "x")
    assert path.read_bytes().startswith(content)
    assert Catalog().names == (STARTER, "x")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (config_dir() / "models.toml").mkdir(parents=True)
    problem = Catalog().problem
    assert problem is not None
    assert "models.toml cannot be read" in problem.message
    with pytest.raises(EngineError, match="cannot be read"):
        Catalog().add(tmp_path)


def test_a_quote_that_is_missing_at_the_top_of_a_long_file_is_found_at_once() -> None:
    write('x = """\n' + "[m]\nfolder = '/x'\n" * 10_000)
    started = time.perf_counter()
    problem = Catalog().problem
    assert time.perf_counter() - started < 2
    assert problem is not None
    assert (problem.params["line"], problem.params["column"]) == (1, 5)


def test_a_file_that_is_much_too_long_is_told() -> None:
    write(b"#" * (2**20 + 1))
    assert Catalog().problem is not None


def test_a_config_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    config_dir().write_text("a file")
    with pytest.raises(EngineError, match="cannot be written"):
        Catalog().add(tmp_path)
    assert Catalog().names == (STARTER,)


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_what_people_wrote_survives_every_change(mark: str, end: str) -> None:
    text = (mark + HAND_WRITTEN).replace("\n", end)
    path = write(text)
    catalog = Catalog()
    assert catalog.names == (STARTER, "瓶盖 v1", "r50")
    assert catalog.defaults("瓶盖 v1") == Defaults(0.3, None, frozenset({"cap", "cork"}))
    catalog.set_defaults("瓶盖 v1", Defaults(0.45, 7, frozenset({"cap", "cork"})))
    catalog.rename("瓶盖 v1", "瓶盖 v2")
    catalog.add("a/b", "x.y")
    assert (
        path.read_bytes()
        == (
            text.replace("0.30", "0.45")
            .replace('v1"]   #', 'v2"]   #')
            .replace('v1".', 'v2".')
            .replace(f"of our own{end}", f"of our own{end}top_k = 7{end}")
            + f'{end}["x.y"]{end}hub = "a/b"{end}'
        ).encode()
    )


def test_a_change_of_one_default_leaves_the_others_as_they_are_written() -> None:
    path = write(HAND_WRITTEN)
    catalog = Catalog()
    labels = catalog.defaults("瓶盖 v1").labels
    catalog.set_defaults("瓶盖 v1", Defaults(0.5, None, labels))
    assert path.read_text("utf-8") == HAND_WRITTEN.replace("0.30", "0.5")


def test_removing_takes_the_table_and_leaves_what_is_around_it() -> None:
    path = write(HAND_WRITTEN)
    Catalog().remove("瓶盖 v1")
    before, _, rest = HAND_WRITTEN.partition('["瓶盖 v1"]')
    assert path.read_text("utf-8") == before + rest.partition('lens = "16 mm"\n')[2]
    Catalog().remove("r50")
    left = path.read_text("utf-8")
    assert tomllib.loads(left) == {"version": 2}
    for words in ("Ms Zhao", "the good one", "downloaded", "the end"):
        assert words in left


@pytest.mark.parametrize(
    "text",
    [
        'a = { folder = "/a", threshold = 0.1 }   # one line\n',
        'a.folder = "/a"\na.threshold = 0.1\n',
        '"a" = { "folder" = "/a" }\n[b]\nhub = "x/y"\n',
        "[b]\nhub = 'x/y'\n[a.extra]\nx = 1\n[a]\nfolder = '/a'\n",
        "[a]\nfolder = '/a'\n[b]\nhub = 'x/y'\n[a.extra]\nx = 1",
        "[ 'a' ]\nfolder = '/a'\nnotes = '''\n[a]\nfolder = \"/not/this\"\n'''\n",
        "[a]\nfolder = '/a'",
        "\t[a]\n\tfolder = '/a'\n\n\n\n[b]\nhub = 'x/y'\n",
    ],
    ids=range(8),
)
def test_every_way_to_write_a_table_is_changed_rightly_or_not_at_all(text: str) -> None:
    """What is changed means what was asked for; the rest means what it meant."""
    for change in ("rename", "remove", "defaults"):
        path = write(text)
        before = tomllib.loads(text)
        catalog = Catalog()
        if change == "rename":
            catalog.rename("a", "新 a")
            before["新 a"] = before.pop("a")
        elif change == "remove":
            catalog.remove("a")
            before.pop("a")
        else:
            catalog.set_defaults("a", Defaults(0.75, 4))
            before["a"] |= {"threshold": 0.75, "top_k": 4}
        assert tomllib.loads(path.read_text("utf-8")) == before, change


def test_a_change_that_would_mean_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(HAND_WRITTEN)
    monkeypatch.setattr(
        "engine.storage.toml_file._comments_after", lambda item: [(tomlkit.key("r51"), tomlkit.table())]
    )
    with pytest.raises(EngineError, match="only a person"):
        Catalog().remove("r50")
    assert path.read_text("utf-8") == HAND_WRITTEN


def test_the_example_in_the_documentation_works() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (PROJECT / "docs" / "models.md").read_text("utf-8"), re.DOTALL)
    write(example)
    catalog = Catalog()
    assert (catalog.problem, catalog.notes) == (None, ())
    assert catalog.defaults("bottle caps") == Defaults(0.4, None, frozenset({"cap", "cork"}))
    assert catalog.defaults(STARTER) == Defaults(0.35)


def test_windows_paths_are_written_so_that_people_can_read_them() -> None:
    with CatalogFile().changing() as draft:
        draft.add("a", {"folder": r"C:\models\2026-11-03 客户"})
        draft.add("b", {"folder": r"\\nas\it's"})
    assert r"folder = 'C:\models\2026-11-03 客户'" in CatalogFile().path.read_text("utf-8")
    entries = CatalogFile().read().entries
    assert [entry.place for entry in entries.values()] == [r"C:\models\2026-11-03 客户", r"\\nas\it's"]


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(HAND_WRITTEN)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EngineError, match="No space left"):
        Catalog().add(tmp_path, "x")
    assert path.read_text("utf-8") == HAND_WRITTEN
    assert sorted(each.name for each in path.parent.iterdir()) == ["models.toml", "models.toml.lock"]
