"""What is kept of the fast forms of models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.models import fast
from engine.models.converted import MODEL_FILE, ConvertedModels
from engine.models.fast import FastModels, Figures, calibration_key
from tests.engine.inference.fast_forms import FIGURES

MODEL = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def models(tmp_path: Path) -> FastModels:
    return FastModels(ConvertedModels(tmp_path / "converted"))


def put(models: FastModels, figures: Figures = FIGURES, calibration: str = "ab12") -> Path:
    """Keep an int8 form; returns where."""
    with models.store.work_folder() as work:
        (work / MODEL_FILE).write_text("<net/>")
        (work / "model.bin").write_bytes(b"1234")
        models.keep(work, MODEL, "int8", calibration, figures)
    return models.store.folder_of(f"{MODEL}.int8")


def test_a_form_is_found_with_its_figures(models: FastModels) -> None:
    folder = put(models)
    found = models.find(MODEL, "int8")
    assert found is not None
    assert (found.precision, found.key, found.figures) == ("int8", "int8-ab12", FIGURES)
    assert found.model_file == folder / MODEL_FILE
    assert models.find(MODEL, "bf16") is None
    assert models.find("f" * 32, "int8") is None


def test_bf16_needs_no_file_of_its_own(models: FastModels) -> None:
    with models.store.work_folder() as work:
        models.keep(work, MODEL, "bf16", "", FIGURES)
    found = models.find(MODEL, "bf16")
    assert found is not None
    assert (found.key, found.model_file) == ("bf16", None)


def test_the_f32_form_is_another_entry(models: FastModels) -> None:
    with models.store.work_folder() as work:
        (work / MODEL_FILE).write_text("<net/>")
        (work / "model.bin").write_bytes(b"f32")
        models.store.keep(work, MODEL, 0.0, 0.0)
    put(models)
    assert models.store.find(MODEL) is not None
    models.drop(MODEL, "int8")
    assert models.find(MODEL, "int8") is None
    assert models.store.find(MODEL) is not None


def test_another_calibration_takes_the_place_of_the_former(models: FastModels) -> None:
    put(models)
    put(models, replace(FIGURES, kept=7), "cd34")
    found = models.find(MODEL, "int8")
    assert found is not None
    assert (found.key, found.figures.kept) == ("int8-cd34", 7)
    assert len(list(models.store.folder.glob("*.int8-*"))) == 1


def test_what_is_not_worth_it_keeps_its_figures_alone(models: FastModels) -> None:
    folder = put(models, replace(FIGURES, speedup=1.149))
    found = models.find(MODEL, "int8")
    assert found is not None
    assert not found.figures.is_worth_it
    assert found.model_file is None
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]
    assert replace(FIGURES, speedup=1.15).is_worth_it


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.bin", b"1235"),
        (MODEL_FILE, b""),
        ("manifest.json", b"[]"),
        ("manifest.json", b"{"),
    ],
)
def test_what_was_damaged_is_absent(models: FastModels, file: str, content: bytes) -> None:
    (put(models) / file).write_bytes(content)
    assert models.find(MODEL, "int8") is None
    put(models)
    assert models.find(MODEL, "int8") is not None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [('"kept": "many"', '"kept": 40'), ('"making": 0', '"making": 1'), ('"key": "bf16"', '"key": "int8-ab12"')],
)
def test_a_manifest_that_makes_no_sense_is_absent(models: FastModels, wrong: str, right: str) -> None:
    manifest = put(models) / "manifest.json"
    text = manifest.read_text("utf-8")
    assert right in text
    manifest.write_text(text.replace(right, wrong), "utf-8")
    assert models.find(MODEL, "int8") is None


def test_figures_of_another_processor_are_not_ours(models: FastModels, monkeypatch: pytest.MonkeyPatch) -> None:
    put(models)
    monkeypatch.setattr(fast, "processor", lambda: "another")
    assert models.find(MODEL, "int8") is None


def test_the_processor_is_told_by_its_name_and_abilities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for at, text in enumerate(("model name : A\nflags : x y\n", "model name : A\nflags : y x\n", "model name : A\n")):
        (tmp_path / str(at)).write_text(text)
        monkeypatch.setattr(fast, "_PROCESSORS", tmp_path / str(at))
        told.append(fast.processor())
    assert told[0].startswith("A ")
    assert told[0] == told[1] != told[2]
    monkeypatch.setattr(fast, "_PROCESSORS", tmp_path / "absent")
    assert fast.processor()


def test_the_calibration_is_named_by_its_images_in_whatever_order(models: FastModels) -> None:
    key = calibration_key([b"a", b"b"], "nncf 3.4.0")
    assert key == calibration_key([b"b", b"a"], "nncf 3.4.0")
    assert len({key, calibration_key([b"a"], "nncf 3.4.0"), calibration_key([b"a", b"b"], "nncf 3.5.0")}) == 3
    assert len(key) == 16
