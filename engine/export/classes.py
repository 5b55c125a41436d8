"""The classes of an export, with their numbers in COCO and YOLO, which stay the same at every export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.detect.same_name import same_name
from engine.errors import EngineError


@dataclass(frozen=True)
class ExportClasses:
    """The classes of an export.

    Attributes:
        names: Class names by label id, ascending: those of the checkpoint with its gaps, then those that users added.
            Two ids may have the same name.
    """

    names: Mapping[int, str]

    @classmethod
    def of(cls, names: Mapping[int, str], labels: Iterable[str] = ()) -> ExportClasses:
        """Combine the classes of a checkpoint with those that users added, numbered from the highest id on.

        Args:
            names: Class names of the checkpoint by label id.
            labels: Labels of decisions in the order in which they were made, so that a class keeps its number when
                more are added later. Known labels and repetitions, in any spelling, are ignored.
        """
        table = dict(sorted(names.items()))
        known, free = set(map(same_name, table.values())), max(table, default=-1) + 1
        for label in map(same_name, labels):
            if label not in known:
                table[free] = label
                known.add(label)
                free += 1
        return cls(table)

    def id_of(self, label_id: int, label: str) -> int:
        """Return the label id to export: the detection's own if it has this name here, else the lowest with the name.

        Raises:
            EngineError: `export_class_unknown`: no class has the name.
        """
        if self.names.get(label_id) == label:
            return label_id
        try:
            return self._ids[same_name(label)]
        except KeyError:
            message = "The class {label} is not among the classes of this export."
            raise EngineError("export_class_unknown", message, label=label) from None

    @cached_property
    def yolo_ids(self) -> Mapping[int, int]:
        """YOLO class numbers by label id: counted from 0, without gaps."""
        return {label_id: number for number, label_id in enumerate(self.names)}

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        return {same_name(name): label_id for label_id, name in reversed(list(self.names.items()))}
