"""Names of models and where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ModelError
from engine.models.catalog import STARTER, Catalog
from engine.paths import resource


def test_the_starter_is_always_there() -> None:
    assert Catalog().names == (STARTER,)
    assert Catalog().path(STARTER) == resource("starter")


def test_folders_of_the_same_name_get_numbers_and_the_same_folder_its_name_again(tmp_path: Path) -> None:
    catalog = Catalog()
    for parent in ("a", "b"):
        (tmp_path / parent / "瓶盖").mkdir(parents=True)
    assert catalog.add(tmp_path / "a" / "瓶盖") == "瓶盖"
    assert catalog.add(tmp_path / "b" / "瓶盖") == "瓶盖 2"
    assert catalog.add(tmp_path / "b" / ".." / "a" / "瓶盖") == "瓶盖"
    assert catalog.name_of(str(tmp_path / "b" / "瓶盖")) == "瓶盖 2"
    assert catalog.path("瓶盖 2") == (tmp_path / "b" / "瓶盖").resolve()


@pytest.mark.parametrize("name", ["yolo", "", "../x", "a\0b", "x" * 100_000], ids=lambda name: repr(name[:9]))
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        Catalog().name_of(name)
    assert "one of starter" in caught.value.message
    assert len(caught.value.message) < 300
