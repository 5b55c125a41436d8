"""The classes of a whole export: each one's number in COCO and in YOLO, the same at every export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.errors import EngineError


@dataclass(frozen=True)
class ClassTable:
    """Classes by label id.

    Attributes:
        names: Class names by label id, ids ascending: the checkpoint's with its gaps, then what users added. Two ids
            may have the same name.
    """

    names: Mapping[int, str]

    @classmethod
    def of(cls, names: Mapping[int, str], labels: Iterable[str] = ()) -> ClassTable:
        """The checkpoint's classes, and behind them those that a user added, numbered from the highest id on.

        Args:
            names: Class names by label id, of the checkpoint.
            labels: Labels of decisions in the order in which they were made, so that a class keeps its number when
                more are added later; known ones and repetitions are passed over.
        """
        table = dict(sorted(names.items()))
        known, free = set(table.values()), max(table, default=-1) + 1
        for label in labels:
            if label not in known:
                table[free] = label
                known.add(label)
                free += 1
        return cls(table)

    def id_of(self, label_id: int, label: str) -> int:
        """A detection's label id in this table: its own where that is the class, else the lowest of the name.

        Raises:
            EngineError: `export_class_unknown`, no class has the name.
        """
        if self.names.get(label_id) == label:
            return label_id
        try:
            return self._ids[label]
        except KeyError:
            message = "The class {label} is not among the classes of this export."
            raise EngineError("export_class_unknown", message, label=label) from None

    @cached_property
    def places(self) -> Mapping[int, int]:
        """Each class's place from 0 by label id, gaps dropped: YOLO's class number."""
        return {label_id: place for place, label_id in enumerate(self.names)}

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        return {name: label_id for label_id, name in reversed(list(self.names.items()))}
