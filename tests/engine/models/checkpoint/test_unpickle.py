"""Pickled checkpoints become safetensors without a chance to run anything."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from engine.errors import ModelError
from engine.models.checkpoint.checkpoint import read_checkpoint
from engine.models.checkpoint.unpickle import unpickle


@pytest.fixture
def folder(tiny_detr: Path, tmp_path: Path) -> Path:
    """A checkpoint whose tensors are in `pytorch_model.bin`, and the same as safetensors beside the folder."""
    import torch
    from safetensors.torch import load_file as load_tensors

    folder = Path(shutil.copytree(tiny_detr, tmp_path / "王工 2026"))
    torch.save(load_tensors(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").rename(tmp_path / "expected.safetensors")
    return folder


def assert_same(folder: Path) -> None:
    made, expected = load_file(folder / "model.safetensors"), load_file(folder.parent / "expected.safetensors")
    assert made.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(made[name], array)
    assert sorted(path.name for path in folder.glob("*.part")) == []


def test_a_pickle_becomes_safetensors(folder: Path) -> None:
    with pytest.raises(ModelError, match="detrdesk models unpickle"):
        read_checkpoint(folder)
    assert unpickle(folder) == folder / "model.safetensors"
    assert_same(folder)
    assert read_checkpoint(folder).family_name == "detr"
    assert (folder / "pytorch_model.bin").exists()
    assert (folder / "model.safetensors").stat().st_mode == (folder / "pytorch_model.bin").stat().st_mode
    with pytest.raises(ModelError, match="nothing has to be converted"):
        unpickle(folder)


def test_shards_and_the_old_format_and_shared_tensors(folder: Path) -> None:
    import torch

    tensors = torch.load(folder / "pytorch_model.bin", weights_only=True)
    (folder / "pytorch_model.bin").unlink()
    names = sorted(tensors)
    for number, chosen in enumerate([names[::2], names[1::2]], 1):
        torch.save(
            {name: tensors[name] for name in chosen},
            folder / f"pytorch_model-0000{number}-of-00002.bin",
            _use_new_zipfile_serialization=number == 1,
        )
    unpickle(folder)
    assert_same(folder)
    (folder / "model.safetensors").unlink()
    twice = torch.zeros(4, 4)
    torch.save({"state_dict": {"a": twice, "b": twice, "c": twice.T[1:]}, "epoch": 3}, folder / "pytorch_model-1.bin")
    unpickle(folder)
    assert load_file(folder / "model.safetensors").keys() >= {"a", "b", "c"}


class Evil:
    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def bare(value: object) -> bytes:
    return pickle.dumps(value, protocol=2)


def in_torchs_format(value: object) -> bytes:
    """As torch.save writes it: a zip file with a pickle in it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("archive/data.pkl", bare(value))
        file.writestr("archive/version", "3\n")
        file.writestr("archive/byteorder", "little")
    return written.getvalue()


@pytest.mark.parametrize(("form", "function"), [(bare, os.system), (in_torchs_format, exec), (in_torchs_format, open)])
def test_a_hostile_pickle_does_not_run(
    folder: Path, tmp_path: Path, form: Callable[[object], bytes], function: Callable[..., object]
) -> None:
    canary = tmp_path / "canary"
    arguments: dict[Callable[..., object], tuple[object, ...]] = {
        os.system: (f"touch {canary}",),
        exec: (f"open({str(canary)!r}, 'w')",),
        open: (str(canary), "w"),
    }
    (folder / "pytorch_model.bin").write_bytes(form(Evil(function, *arguments[function])))
    with pytest.raises(ModelError, match="cannot be converted: it asks to run") as caught:
        unpickle(folder)
    assert "weights_only" not in caught.value.message
    assert not canary.exists()
    assert not (folder / "model.safetensors").exists()


CONFINED = """
import sys
from pathlib import Path
from engine.runtimes import unpickle
unpickle._leave_the_network()
unpickle._limit_resources(1000)
sys.addaudithook(unpickle._refuse)
try:
    {attempt}
except (PermissionError, MemoryError, OSError) as error:
    print("refused", type(error).__name__)
else:
    print("done")
"""


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
        "import os; os.execv('/bin/true', ['true'])",
        "import ctypes; ctypes.CDLL(None)",
        "open('/tmp/detrdesk-canary', 'w')",
        "Path('/tmp/detrdesk-canary').touch()",
        "Path('/tmp/detrdesk-canary').unlink()",
        "bytearray(3 * 2**30)",
    ],
)
def test_even_code_that_ran_could_do_nothing(attempt: str) -> None:
    """The second wall, should the first one have a hole: the process itself is confined."""
    ended = subprocess.run(
        [sys.executable, "-c", CONFINED.format(attempt=attempt)], capture_output=True, text=True, timeout=60
    )
    assert ended.stdout.startswith("refused"), ended.stdout + ended.stderr


def test_reading_is_allowed() -> None:
    code = CONFINED.format(attempt="open('/dev/null').read()")
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == "done", ended.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be converted"),
        (b"not a pickle", "cannot be converted"),
        (in_torchs_format({"a": 1}), "no tensors"),
        (in_torchs_format([1, 2]), "no table of tensors"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "cannot be converted"),
    ],
    ids=["empty", "text", "no tensors", "a list", "a pointer of git"],
)
def test_what_is_no_file_of_tensors_is_told(folder: Path, content: bytes, reason: str) -> None:
    (folder / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(ModelError, match=reason) as caught:
        unpickle(folder)
    assert str(folder) not in caught.value.message
    assert not (folder / "model.safetensors").exists()


def test_a_truncated_pickle_is_told(folder: Path) -> None:
    path = folder / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError, match="cannot be converted"):
        unpickle(folder)


def test_one_that_takes_too_long_is_ended(folder: Path) -> None:
    with pytest.raises(ModelError, match="takes too long"):
        unpickle(folder, seconds=0.01)


def test_nothing_to_convert(folder: Path) -> None:
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError, match=r"pytorch_model\.bin is missing"):
        unpickle(folder)


def test_the_childs_environment_has_no_keys(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, dict[str, str]] = {}

    def run(*_: object, env: dict[str, str], **__: object) -> subprocess.CompletedProcess[bytes]:
        seen["env"] = env
        return subprocess.CompletedProcess([], 0, json.dumps({"error": "stopped"}).encode(), b"")

    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://somewhere")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ModelError, match="stopped"):
        unpickle(folder)
    assert not {"HF_TOKEN", "HTTPS_PROXY"} & seen["env"].keys()
