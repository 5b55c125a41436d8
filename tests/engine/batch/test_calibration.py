"""What a calibration for int8 really used; NNCF itself is stood in for."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from PIL import Image

from engine.runtimes import quantise
from tests.engine.inference.conversion import convert_here


@pytest.fixture
def nncf(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes through the images twice, and leaves the model as it is."""

    def quantize(model: Any, images: Iterable[Any], **_: Any) -> Any:
        for _ in range(2):
            list(images)
        return model

    library = ModuleType("nncf")
    library.__spec__ = importlib.machinery.ModuleSpec("nncf", None)
    library.quantize, library.Dataset = quantize, lambda images: images  # type: ignore[attr-defined]
    library.QuantizationPreset = SimpleNamespace(MIXED="mixed")  # type: ignore[attr-defined]
    library.ModelType = SimpleNamespace(TRANSFORMER="transformer")  # type: ignore[attr-defined]
    library.IgnoredScope = lambda **_: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nncf", library)


def test_images_that_could_not_be_read_do_not_count(nncf: None, tiny_detr: Path, tmp_path: Path, sample: Path) -> None:
    (work := tmp_path / "work").mkdir()
    (f32 := tmp_path / "f32").mkdir()
    convert_here(tiny_detr, f32)
    (broken := tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    whole = []
    for at in range(3):
        Image.new("RGB", (60 + at, 40), (at * 60, 80, 90)).save(tmp_path / f"{at}.png")
        whole.append(str(tmp_path / f"{at}.png"))
    calibration = (*whole, str(broken), str(tmp_path / "gone.png"))
    quantise.QuantisationTask("int8", str(f32 / "model.xml"), calibration, (str(sample),), 0.05).write(work)
    told: dict[str, Any] = {}
    with (
        patch.object(quantise, "report", lambda reports, **each: told.update(each)),
        patch.object(quantise, "begin_child", lambda haste: (None, lambda stage, done, total: None)),
        patch.object(quantise, "version", lambda name: "0"),
    ):
        quantise.main(str(tiny_detr), str(work), "haste")
    assert "failed" not in told, told
    assert (told["figures"]["images"], told["figures"]["calibrated"]) == (1, 3)
