"""The class names of a checkpoint, as they are in the wild: with gaps, as a list, too few, or none at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.detect.families import Family
from engine.detect.same_name import same_name
from engine.errors import ModelError
from engine.models.notes import Note

_HEAD = re.compile(r"(?:^|\.)class_(?:embed|labels_classifier)\.(?:(?:layers\.)?\d+\.)?bias$")
_MOST_CLASSES = 1_000_000


def class_count(shapes: Mapping[str, tuple[int, ...]], family: Family) -> int | None:
    """How many classes the tensors know; `None` where none of them is a class head.

    Args:
        shapes: Of the checkpoint's tensors, by name.
        family: Those with `softmax` have one output more, which means "no object".
    """
    sizes = {shape[0] for name, shape in shapes.items() if _HEAD.search(name) and len(shape) == 1}
    if len(sizes) != 1:
        return None
    return sizes.pop() - (family.scores == "softmax")


def read_labels(config: Mapping[str, Any]) -> dict[int, str]:
    """The names in a `config.json`, by label id: of `id2label`, a table or a list, else of `label2id`.

    Returns:
        Without either, transformers' own names of `num_labels` classes, or of two.

    Raises:
        ValueError, TypeError: they make no sense.
    """
    named = config.get("id2label")
    if not named and isinstance(config.get("label2id"), Mapping):
        named = {label_id: name for name, label_id in config["label2id"].items()}
    if not named:
        named = [f"LABEL_{at}" for at in range(min(int(config.get("num_labels") or 2), _MOST_CLASSES))]
    pairs = named.items() if isinstance(named, Mapping) else enumerate(named)
    if isinstance(named, str):
        raise TypeError("the names are a text")
    names = {int(label_id): same_name(str(name)) for label_id, name in pairs}
    if min(names) < 0:
        raise ValueError("a label id is negative")
    return names


def fitted(names: Mapping[int, str], classes: int, model: str) -> tuple[dict[int, str], tuple[Note, ...]]:
    """The name of each class that the tensors know, and what to say where config.json has not all of them.

    Args:
        names: As config.json has them.
        classes: How many classes the tensors know.
        model: What to call the model in an error.

    Raises:
        ModelError: there are more names than classes: they are those of another model.
    """
    if len(names) > classes:
        raise ModelError(
            "labels_of_another_model",
            "The model {model} cannot be used: config.json names {named} classes, its tensors know {classes}; "
            "take the config.json that was saved with them.",
            model=model,
            named=len(names),
            classes=classes,
        )
    unnamed = classes - len(names.keys() & range(classes))
    note = Note(
        "classes_without_names",
        "{count} of {classes} classes have no name in config.json; they are called by their numbers.",
        count=unnamed,
        classes=classes,
    )
    return {at: names.get(at, str(at)) for at in range(classes)}, (note,) if unnamed else ()
