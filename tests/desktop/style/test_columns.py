"""ColumnModel: what the view is told when rows change."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from PyQt5.QtCore import QAbstractItemModel, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.style.columns import Column, ColumnModel


@dataclass(frozen=True)
class Row:
    name: str
    size: int = 0


@pytest.fixture
def model(qtmodeltester: ModelTester) -> ColumnModel[Row]:
    made = ColumnModel[Row](
        [
            Column(
                "Name",
                lambda row: row.name,
                roles={Qt.ItemDataRole.ToolTipRole: lambda row: f"{row.name}!"},
                flags=lambda row: Qt.ItemFlag.ItemIsEditable if row.size else Qt.ItemFlag.NoItemFlags,
            ),
            Column(
                "Size",
                lambda row: str(row.size),
                Qt.AlignmentFlag.AlignRight,
                header_roles={Qt.ItemDataRole.ToolTipRole: "bytes"},
            ),
        ],
        key=lambda row: row.name,
    )
    qtmodeltester.check(made)
    return made


class Changes:
    """What a view is told."""

    def __init__(self, model: QAbstractItemModel) -> None:
        self.told: list[tuple[object, ...]] = []
        model.modelReset.connect(lambda: self.told.append(("reset",)))
        model.rowsInserted.connect(lambda _, first, last: self.told.append(("inserted", first, last)))
        model.rowsRemoved.connect(lambda _, first, last: self.told.append(("removed", first, last)))
        model.dataChanged.connect(lambda one, other: self.told.append(("changed", one.row(), other.row())))


def rows(names: str, size: int = 0) -> list[Row]:
    return [Row(name, size) for name in names]


def texts(model: ColumnModel[Row]) -> str:
    return "".join(model.index(row, 0).data() for row in range(model.rowCount()))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "ab", [("reset",)]),
        ("ab", "", [("reset",)]),
        ("ab", "ab", [("changed", 0, 1)]),
        ("abc", "acb", [("reset",)]),
        ("bc", "abc", [("inserted", 0, 0), ("changed", 1, 2)]),
        ("cde", "abcd", [("removed", 2, 2), ("inserted", 0, 1), ("changed", 2, 3)]),
        ("abc", "a", [("removed", 1, 2), ("changed", 0, 0)]),
        ("ab", "abc", [("reset",)]),
    ],
)
def test_rows_are_replaced_in_the_way_that_disturbs_least(
    model: ColumnModel[Row], before: str, after: str, told: list[tuple[object, ...]]
) -> None:
    model.show_rows(rows(before))
    changes = Changes(model)
    model.show_rows(rows(after))
    assert changes.told == told
    assert texts(model) == after


def test_cells_and_headers_come_from_the_columns(model: ColumnModel[Row]) -> None:
    model.show_rows(rows("a", 7))
    name, size = model.index(0, 0), model.index(0, 1)
    assert (name.data(), size.data()) == ("a", "7")
    assert (name.data(Qt.ItemDataRole.ToolTipRole), size.data(Qt.ItemDataRole.ToolTipRole)) == ("a!", None)
    assert size.data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    across = Qt.Orientation.Horizontal
    assert [model.headerData(at, across) for at in range(2)] == ["Name", "Size"]
    assert model.headerData(1, across, Qt.ItemDataRole.ToolTipRole) == "bytes"
    assert model.headerData(0, Qt.Orientation.Vertical) is None


def test_an_edit_is_told_and_changes_nothing(model: ColumnModel[Row], qtbot: QtBot) -> None:
    model.show_rows([*rows("a", 7), *rows("b")])
    assert model.flags(model.index(0, 0)) & Qt.ItemFlag.ItemIsEditable
    assert not model.flags(model.index(1, 0)) & Qt.ItemFlag.ItemIsEditable
    with qtbot.waitSignal(model.edited) as edited:
        assert model.setData(model.index(0, 0), "z")
    assert edited.args == [Row("a", 7), 0, "z"]
    assert texts(model) == "ab"
    assert not model.setData(model.index(0, 0), "z", Qt.ItemDataRole.ToolTipRole)


def test_refreshing_one_column_paints_that_one(model: ColumnModel[Row], qtbot: QtBot) -> None:
    model.show_rows(rows("abc"))
    with qtbot.waitSignal(model.dataChanged) as changed:
        model.refresh(1)
    first, last = changed.args[:2]
    assert (first.row(), first.column(), last.row(), last.column()) == (0, 1, 2, 1)
