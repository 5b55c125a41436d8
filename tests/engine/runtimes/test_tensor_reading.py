"""Tensors are read as the safetensors library reads them, into memory of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.runtimes.tensor_reading import read_tensors


@pytest.mark.parametrize(
    "kind", ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
)
def test_every_kind_of_number(tmp_path: Path, kind: str) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    values = torch.arange(24).reshape(2, 3, 4).to(getattr(torch, kind))
    tensors = {"猫": values, "one": values[0, 0, 1].clone(), "none": values[:0].clone(), "odd": torch.ones(3).bool()}
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    read, expected = read_tensors(tmp_path / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert read.keys() == expected.keys()
    for name, tensor in read.items():
        wanted = expected[name].float() if expected[name].is_floating_point() else expected[name]
        assert tensor.dtype == wanted.dtype
        assert tensor.shape == wanted.shape
        assert torch.equal(tensor, wanted)


def test_a_kind_that_no_model_has(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(4).to(torch.float8_e4m3fn)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="F8_E4M3"):
        read_tensors(tmp_path / "model.safetensors")


@pytest.mark.parametrize("keep", [9, 100, -1])
def test_a_file_that_was_cut_since_it_was_checked(tmp_path: Path, keep: int) -> None:
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(400), "b": torch.zeros(400)}, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError):  # noqa: PT011 (JSON's own words where the head is cut)
        read_tensors(path)
