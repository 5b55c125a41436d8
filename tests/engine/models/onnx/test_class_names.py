"""Class names of ONNX files, from wherever they are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import ModelError
from engine.models.fingerprint import fingerprint
from engine.models.onnx.beside import keep_names
from engine.models.onnx.class_names import are_nameless, parse_names, shared_list
from engine.models.onnx.model import read_onnx
from engine.paths import data_dir
from engine.storage.atomic import WriteError
from tests.onnx_files import write_finished

THREE = {0: "cat", 1: "traffic light", 2: "猫"}


@pytest.mark.parametrize(
    "text",
    [
        "{0: 'cat', 1: 'traffic light', 2: '猫'}",
        '{"0": "cat", "1": "traffic light", "2": "猫"}',
        '["cat", "traffic light", "猫"]',
        "['cat', 'traffic light', '猫']",
        '{"cat": 0, "traffic light": 1, "猫": 2}',
        "cat\ntraffic light\n猫\n\n",
        "cat\r\n traffic  light \r\n猫",
        "cat, traffic light,猫",
        "0: cat\n1: traffic light\n2: 猫",
        "0 cat\n1 traffic light\n2 猫",
    ],
)
def test_names_are_read_in_every_way_people_write_them(text: str) -> None:
    assert parse_names(text) == THREE


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "80",
        "{",
        "{}",
        "[]",
        "[[]]",
        "{'a'",
        "[" * 100_000,
        "{-1: 'a'}",
        "{1e999: 'a'}",
        "{None: 'a'}",
        "a" * 201,
    ]
    + ['{"0": "cat", "x": "dog"}', "{99999999: 'a'}", "[None]", "{(): ()}", "{[]: 1}", "__import__('os')\0" * 20],
)
def test_what_is_no_list_of_names_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_names(text)


def test_a_class_without_a_name_is_called_by_its_number() -> None:
    assert parse_names("cat\n\ndog") == {0: "cat", 1: "class 1", 2: "dog"}
    assert parse_names("{3: 'cat'}") == {3: "cat"}


def test_the_shared_lists_are_coco() -> None:
    few, many = shared_list("coco-80"), shared_list("coco-91")
    assert (len(few), len(many)) == (80, 91)
    assert (few[0], few[15], few[79]) == (many[1], many[17], many[90]) == ("person", "cat", "toothbrush")
    assert tuple(name for name in many if name != "N/A") == few


def test_names_that_a_program_made_up_are_none() -> None:
    assert are_nameless({0: "LABEL_0", 1: "LABEL_1"})
    assert not are_nameless({0: "LABEL_0", 1: "cat"})


@pytest.mark.parametrize("key", ["names", "id2label", "classes", "labels"])
def test_metadata_names_the_classes(tmp_path: Path, key: str) -> None:
    model = read_onnx(write_finished(tmp_path / "m.onnx", {"stride": "32", key: json.dumps(THREE)}))
    assert model.names == THREE
    assert not model.names_unknown


def test_metadata_about_something_else_is_left_alone(tmp_path: Path) -> None:
    assert read_onnx(write_finished(tmp_path / "m.onnx", {"classes": "80", "labels": "{broken"})).names_unknown


@pytest.mark.parametrize("name", ["labels.txt", "classes.txt", "m.txt", "m.names", "m.labels.txt"])
def test_a_list_beside_the_file_names_the_classes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\ufeffcat\ntraffic light\n猫\n", "utf-8")
    assert read_onnx(write_finished(tmp_path / "m.onnx")).names == THREE


@pytest.mark.parametrize("folder", [".", ".."])
def test_the_config_of_an_export_names_the_classes(tmp_path: Path, folder: str) -> None:
    (tmp_path / "onnx").mkdir()
    config = tmp_path / "onnx" / folder / "config.json"
    config.write_text(json.dumps({"model_type": "rt_detr", "id2label": THREE}))
    model = read_onnx(write_finished(tmp_path / "onnx" / "m.onnx"))
    assert (model.names, model.family_name) == (THREE, "rt_detr")


def test_who_says_more_exactly_is_believed(tmp_path: Path) -> None:
    path = write_finished(tmp_path / "m.onnx")
    for name, content in (
        ("labels.txt", "of the folder"),
        ("config.json", json.dumps({"id2label": {"0": "of the config"}})),
        ("m.names", "of the file"),
        ("m.onnx", ""),
        ("m.labels.txt", "of the user"),
    ):
        if name == "m.onnx":
            write_finished(path, {"names": "['in the file']"})
            assert read_onnx(path).names == {0: "in the file"}
            continue
        (tmp_path / name).write_text(content)
        assert read_onnx(path).names == {0: content if name != "config.json" else "of the config"}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0", b"x" * 2_000_000, b"a" * 300])
def test_a_list_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(ModelError, match=r"m\.onnx cannot be used: labels\.txt beside it holds no class names"):
        read_onnx(write_finished(tmp_path / "m.onnx"))


def test_a_config_that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"id2label": {')
    with pytest.raises(ModelError, match=r"config\.json is not a whole JSON file"):
        read_onnx(write_finished(tmp_path / "m.onnx"))


def test_unknown_names_are_numbers_until_they_are_given(tmp_path: Path) -> None:
    path = write_finished(tmp_path / "m.onnx")
    model = read_onnx(path)
    assert model.names_unknown
    assert (len(model.names), model.names[0], model.names[89]) == (90, "class 0", "class 89")
    before = fingerprint(path)
    assert keep_names(path, ["cat", "", " big\ndog "]) == tmp_path / "m.labels.txt"
    assert (tmp_path / "m.labels.txt").read_text() == "cat\nclass 1\nbig dog\n"
    model = read_onnx(path)
    assert not model.names_unknown
    assert model.names == {0: "cat", 1: "class 1", 2: "big dog"}
    assert fingerprint(path) != before


def test_given_names_are_kept_where_nothing_can_be_written_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_finished(tmp_path / "m.onnx")
    (tmp_path / "m.labels.txt").mkdir()  # as a folder that may not be written to, for root as well
    kept = keep_names(path, ["cat"])
    assert kept.parent == data_dir() / "names"
    assert read_onnx(path).names == {0: "cat"}
    assert read_onnx(write_finished(tmp_path / "other.onnx")).names_unknown
    monkeypatch.setenv("DETRDESK_HOME", str(path))
    with pytest.raises(WriteError, match="cannot be written"):
        keep_names(path, ["cat"])


@pytest.mark.parametrize("names", [[], ["", " "], ["x" * 201]])
def test_names_that_are_none_are_not_kept(tmp_path: Path, names: list[str]) -> None:
    path = write_finished(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="one a line"):
        keep_names(path, names)
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_keeps_its_own_names(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"those of its config\.json"):
        keep_names(tmp_path, ["cat"])


def test_the_fingerprint_is_that_of_all_that_decides(tmp_path: Path) -> None:
    one, copy = tmp_path / "a" / "one.onnx", tmp_path / "b" / "copy.onnx"
    for path in (one, copy):
        path.parent.mkdir()
        write_finished(path)
        path.with_suffix(".labels.txt").write_text("cat")
    assert fingerprint(one) == fingerprint(copy)
    for name in ("labels.txt", "config.json", "preprocessor_config.json"):
        before = fingerprint(one)
        (one.parent / name).write_text("{}")
        assert fingerprint(one) != before
