"""What an ONNX file tells of itself, and files that are none."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelError
from engine.models.onnx.file import read_onnx_file
from engine.models.onnx.protobuf import MOST_FIELDS
from engine.models.onnx.walk import OnnxValue
from tests.onnx_files import field, model, node, tensor, value, write_finished


def write_with_tensors_at(path: Path, location: str, **more: str) -> Path:
    external = tensor("weights", np.zeros(4, np.float32), {"location": location, **more})
    nodes = [node("Add", ["pixel_values", "weights"], "logits")]
    path.write_bytes(model(nodes, [external], [value("pixel_values", "float32", (1, 4))], []))
    return path


def test_inputs_outputs_and_metadata_are_told(tmp_path: Path) -> None:
    told = read_onnx_file(write_finished(tmp_path / "m.onnx", {"names": "猫", "author": "somebody"}))
    assert told.inputs == (
        OnnxValue("images", "float32", (None, 3, 32, 48)),
        OnnxValue("orig_target_sizes", "int64", (None, 2)),
    )
    assert [str(each) for each in told.outputs] == ["boxes [? x ? x 4]", "labels [? x ?]", "scores [? x ?]"]
    assert told.metadata == {"names": "猫", "author": "somebody"}
    assert told.integers["classes"] == 90
    assert told.nodes["labels"].inputs == ("places", "classes")


def test_tensors_that_an_old_file_lists_as_inputs_are_none(tmp_path: Path) -> None:
    path = tmp_path / "old.onnx"
    inputs = [value("images", "float32", (1, 3, 8, 8)), value("weights", "float32", (4,))]
    path.write_bytes(model([], [tensor("weights", np.zeros(4, np.float32))], inputs, []))
    assert [each.name for each in read_onnx_file(path).inputs] == ["images"]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    for text in ("one", "three"):
        write_finished(path, {"names": text})
        assert read_onnx_file(path).metadata["names"] == text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x08",
        b"\0" * 1000,
        b"<html><body>404</body></html>",
        b"PK\x03\x04" + b"\0" * 100,
        field(1, 8),
        b"\x08\x01" * (MOST_FIELDS + 1) + field(7, b""),
        b"\xff" * 100,
    ],
    ids=["empty", "one byte", "zeros", "html", "zip", "no graph", "endless", "ones"],
)
def test_what_is_no_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx cannot be used: it is not a whole ONNX file"):
        read_onnx_file(path)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 41\n"


def test_a_git_lfs_pointer_is_told_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(POINTER)
    with pytest.raises(ModelError, match=r"m\.onnx is a Git LFS pointer; run git lfs pull") as caught:
        read_onnx_file(path)
    assert caught.value.code == "lfs_pointer"
    write_with_tensors_at(path, "m.onnx_data", offset="8", length="16")
    (tmp_path / "m.onnx_data").write_bytes(POINTER)
    with pytest.raises(ModelError, match=r"m\.onnx_data is a Git LFS pointer; run git lfs pull"):
        read_onnx_file(path)


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = write_finished(tmp_path / "m.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError) as caught:
            read_onnx_file(path)
        assert caught.value.code == "onnx_damaged"


def test_damaged_bytes_give_a_model_or_a_model_error(tmp_path: Path) -> None:
    whole = write_finished(tmp_path / "m.onnx", {"names": "a,b"}).read_bytes()
    choice = random.Random(0)
    read = 0
    for at in range(500):
        content = bytearray(whole)
        for _ in range(choice.choice((1, 1, 3, 20))):
            content[choice.randrange(len(content))] = choice.randrange(256)
        path = tmp_path / f"{at}.onnx"
        path.write_bytes(content)
        try:
            read_onnx_file(path)
            read += 1
        except ModelError:
            pass
    assert 0 < read < 500


def test_size_costs_nothing(tmp_path: Path) -> None:
    zeros, large = tmp_path / "zeros.onnx", tmp_path / "large.onnx"
    with zeros.open("wb") as file:
        file.truncate(100 << 20)
    tail = field(11, value("images", "float32", (1, 3, 8, 8)))
    weights = b"\x4a" + bytes([0x80, 0x80, 0x80, 0x80, 0x08])  # raw_data of 2 GiB, a hole in the file
    size = 2**31
    head = b"\x2a" + _long(len(weights) + size)
    with large.open("wb") as file:
        file.write(field(1, 8) + b"\x3a" + _long(len(head) + len(weights) + size + len(tail)) + head + weights)
        file.seek(size, 1)
        file.write(tail)
    started = time.perf_counter()
    with pytest.raises(ModelError, match="not a whole ONNX file"):
        read_onnx_file(zeros)
    assert [each.name for each in read_onnx_file(large).inputs] == ["images"]
    assert time.perf_counter() - started < 0.5


def _long(number: int) -> bytes:
    return bytes([number >> shift & 127 | 128 for shift in (0, 7, 14, 21)]) + bytes([number >> 28])


def test_graphs_in_graphs_end(tmp_path: Path) -> None:
    graph = b""
    for _ in range(3000):
        graph = field(1, field(4, "If") + field(5, field(6, graph)))
    path = tmp_path / "deep.onnx"
    path.write_bytes(field(7, graph))
    with pytest.raises(ModelError, match="not a whole ONNX file"):
        read_onnx_file(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no model file gone\.onnx"):
        read_onnx_file(tmp_path / "gone.onnx")


def test_tensors_beside_the_file_must_be_there_and_whole(tmp_path: Path) -> None:
    path = write_with_tensors_at(tmp_path / "m.onnx", "m.onnx_data", offset="8", length="16")
    with pytest.raises(ModelError, match=r"m\.onnx_data, which holds its tensors, is missing or truncated"):
        read_onnx_file(path)
    (tmp_path / "m.onnx_data").write_bytes(b"\0" * 23)
    with pytest.raises(ModelError, match="is missing or truncated"):
        read_onnx_file(path)
    (tmp_path / "m.onnx_data").write_bytes(b"\0" * 24)
    assert read_onnx_file(path).companions == {"m.onnx_data": 24}


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../b", "..\\b", "C:x", "a\0b", ""])
def test_tensors_from_elsewhere_are_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 16)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError) as caught:
        read_onnx_file(write_with_tensors_at(tmp_path / "folder" / "m.onnx", location))
    assert caught.value.code == "onnx_outside"


def test_tensors_from_elsewhere_are_refused_wherever_they_are_wanted(tmp_path: Path) -> None:
    outside = tensor("w", np.zeros(4, np.float32), {"location": "../secret"})
    step = field(4, "Constant") + field(5, field(1, "value") + field(5, outside))
    branch = field(4, "If") + field(5, field(6, field(1, step)))
    sparse = field(15, field(1, outside))
    function = field(25, field(7, step))
    for content in (field(7, field(1, step)), field(7, field(1, branch)), field(7, sparse), field(7, b"") + function):
        path = tmp_path / f"{len(content)}.onnx"
        path.write_bytes(field(1, 8) + content)
        with pytest.raises(ModelError, match="a file outside its folder"):
            read_onnx_file(path)
