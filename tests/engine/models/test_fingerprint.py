"""What makes two checkpoints the same model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import ModelError
from engine.models.fingerprint import fingerprint
from tests.children import PROJECT


@pytest.fixture
def model(tiny_detr: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_detr, tmp_path / "模型"))


def test_a_copy_under_another_name_is_the_same_model(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(model, copy, copy_function=shutil.copyfile)
    (copy / "README.md").write_text("not what decides detections")
    assert fingerprint(copy) == fingerprint(model)
    assert len(fingerprint(model)) == 32


def test_a_changed_weight_is_another_model(model: Path) -> None:
    before = fingerprint(model)
    tensors = model / "model.safetensors"
    data = bytearray(tensors.read_bytes())
    data[-1] ^= 1
    tensors.write_bytes(data)
    assert fingerprint(model) != before


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_a_changed_setting_is_another_model(model: Path, name: str) -> None:
    before = fingerprint(model)
    path = model / name
    settings = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**settings, "do_pad": 7}), "utf-8")
    assert fingerprint(model) != before


def test_shards_that_swap_their_names_are_another_model(model: Path) -> None:
    (model / "a.safetensors").write_bytes(b"one")
    (model / "b.safetensors").write_bytes(b"two")
    before = fingerprint(model)
    (model / "a.safetensors").write_bytes(b"two")
    (model / "b.safetensors").write_bytes(b"one")
    assert fingerprint(model) != before


def test_what_was_read_once_is_not_read_again(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(model)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("read again"))
    assert fingerprint(model) == before


def test_a_single_file_is_a_model_too(tmp_path: Path) -> None:
    one, copy, other = tmp_path / "one.onnx", tmp_path / "copy.onnx", tmp_path / "other.onnx"
    one.write_bytes(b"onnx")
    copy.write_bytes(b"onnx")
    other.write_bytes(b"more")
    assert fingerprint(one) == fingerprint(copy) != fingerprint(other)


def test_what_is_missing_is_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder gone"):
        fingerprint(tmp_path / "gone")
    (model / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"模型.*model\.safetensors is missing"):
        fingerprint(model)


def test_what_cannot_be_read_is_named(model: Path) -> None:
    (model / "config.json").unlink()
    (model / "config.json").mkdir()
    with pytest.raises(ModelError, match=r"模型 cannot be read: config\.json") as caught:
        fingerprint(model)
    assert caught.value.code == "model_unreadable"


def test_no_heavy_library_is_needed() -> None:
    code = "import sys, engine.models.fingerprint; print({'torch', 'transformers', 'safetensors'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr
