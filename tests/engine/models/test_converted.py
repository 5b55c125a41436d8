"""What is kept of converted models: whole or not at all, by what made it, within bounds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import pytest

from engine.errors import ModelError
from engine.models import converted
from engine.models.converted import MODEL_FILE, Converted, ConvertedModels, refusal


@pytest.fixture
def store(tmp_path: Path) -> ConvertedModels:
    return ConvertedModels(tmp_path / "converted", most_entries=3, most_bytes=10_000)


def keep(store: ConvertedModels, fingerprint: str, size: int = 100) -> Path:
    with store.work_folder() as work:
        (work / MODEL_FILE).write_text("<net/>")
        (work / "model.bin").write_bytes(bytes(size))
        store.keep(work, fingerprint, 1e-6, 0.001)
    (entry,) = store.folder.glob(f"{fingerprint}-*")
    return entry


def names(store: ConvertedModels) -> set[str]:
    return {path.name.split("-")[0] for path in store.folder.iterdir() if not path.name.startswith(".")}


@pytest.fixture
def other_versions() -> Iterator[None]:
    def newer() -> Mapping[str, str]:
        return {"openvino": "9999", "torch": "1", "transformers": "1", "conversion": "1"}

    with patch.object(converted, "versions", newer):
        yield


def test_what_is_kept_is_found(store: ConvertedModels) -> None:
    assert store.find("abc") is None
    entry = keep(store, "abc")
    assert store.find("abc") == Converted(entry / MODEL_FILE, 1e-6, 0.001)
    assert store.find("abd") is None


def test_a_reason_is_found_as_it_was(store: ConvertedModels) -> None:
    keep(store, "abc")
    store.refuse("abc", refusal("conversion_differs", {"score": "0.04", "pixels": "3"}))
    found = store.find("abc")
    assert isinstance(found, ModelError)
    assert found.code == "conversion_differs"
    assert found.message == "OpenVINO would answer differently: scores by up to 0.04, boxes by up to 3 pixels."


def test_another_version_finds_nothing_and_takes_its_place(
    store: ConvertedModels, request: pytest.FixtureRequest
) -> None:
    old = keep(store, "abc")
    request.getfixturevalue("other_versions")
    assert store.find("abc") is None
    new = keep(store, "abc")
    assert new != old
    assert not old.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: (entry / "model.bin").write_bytes(b"short"),
        lambda entry: (entry / "model.bin").write_bytes(b"\1" * 100),
        lambda entry: (entry / "model.bin").unlink(),
        lambda entry: (entry / MODEL_FILE).write_text("<nut/>"),
        lambda entry: (entry / "manifest.json").write_text("{"),
        lambda entry: (entry / "manifest.json").write_text("[1, 2]"),
        lambda entry: (entry / "manifest.json").write_text("[" * 100_000),
        lambda entry: (entry / "manifest.json").write_bytes(b"\xff\xfe"),
        lambda entry: (entry / "manifest.json").unlink(),
    ],
)
def test_what_is_damaged_is_absent_and_made_again(store: ConvertedModels, damage: object) -> None:
    entry = keep(store, "abc")
    damage(entry)  # type: ignore[operator]
    assert store.find("abc") is None
    keep(store, "abc")
    assert isinstance(store.find("abc"), Converted)


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": "another"},
        {"versions": {}},
        {"files": {}},
        {"score_difference": None},
        {"refused": {"code": "nothing known", "params": {}}},
        {"refused": {"code": "conversion_differs", "params": {}}},
        {"refused": "yes"},
    ],
)
def test_a_manifest_that_makes_no_sense_is_absent(store: ConvertedModels, change: dict[str, object]) -> None:
    path = keep(store, "abc") / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert store.find("abc") is None


def test_what_was_used_longest_ago_makes_room(store: ConvertedModels) -> None:
    for at, fingerprint in enumerate(("one", "two", "three")):
        os.utime(keep(store, fingerprint), (1e9 + at, 1e9 + at))
    store.find("one")
    keep(store, "four")
    assert names(store) == {"one", "three", "four"}


def test_no_more_bytes_are_kept_than_allowed(store: ConvertedModels) -> None:
    os.utime(keep(store, "one", 4000), (1e9, 1e9))
    os.utime(keep(store, "two", 4000), (2e9, 2e9))
    keep(store, "three", 4000)
    assert names(store) == {"two", "three"}


def test_a_file_of_somebody_elses_in_the_folder_does_no_harm(store: ConvertedModels) -> None:
    store.folder.mkdir()
    stray = store.folder / "sync-conflict.txt"
    stray.write_text("of another program")
    keep(store, "abc")
    assert isinstance(store.find("abc"), Converted)
    assert stray.exists()


def test_what_a_killed_program_left_goes(store: ConvertedModels) -> None:
    left = store.folder / ".work-1"
    left.mkdir(parents=True)
    (left / "model.bin").write_bytes(b"half")
    with store.work_folder() as work:
        assert not left.exists()
        (work / "model.bin").write_bytes(b"half")
    assert list(store.folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = ConvertedModels(tmp_path / "file" / "converted")
    assert store.find("abc") is None
    with pytest.raises(OSError, match="Not a directory"), store.work_folder():
        pytest.fail("there was a folder")
