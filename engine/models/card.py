"""Description of a model: what its small files say without loading it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.detect.preprocess import Preprocessing
from engine.errors import EngineError, ModelError
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import Defaults, Entry
from engine.models.checkpoint.checkpoint import Checkpoint
from engine.models.last_times import LastTime, last_time
from engine.models.onnx.file import read_onnx_file
from engine.models.onnx.model import OnnxModel
from engine.models.reading import read_model

_SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json", "model.safetensors.index.json")
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Suffixes of batch-norm buffers, which are not learnt parameters."""
_LONGEST_README = 64 * 1024
_LICENCE = re.compile(r"^license(_name)?:[ \t]*['\"]?([^'\"\n#]+)", re.MULTILINE)
_RESNETS = {"basic": 2, "bottleneck": 3}
"""Convolutions in one layer of a ResNet, by `layer_type`."""


@dataclass(frozen=True)
class Card:
    """Description of a model.

    Attributes:
        entry: The model's entry in the catalog.
        problem: Why the model cannot be used; the fields that could not be read are then empty.
        family: `model_type`, e.g. `detr`; `onnx` for a file that does not name it.
        backbone: E.g. `resnet50` or `resnet50, DC5`; empty if there is none or it is unknown.
        names: Class names by label id.
        parameters: Number of learnt parameters; `None` if they cannot be counted.
        dtype: The most frequent type of the tensors, e.g. `F32`.
        disk_bytes: Size of the model's files, bytes.
        licence: As named by its README or the hub; empty if unknown.
        commit: The commit on the hub; empty for a model that was not downloaded.
        preprocessing: How images are resized and normalised.
        notes: Remarks for the user, worded and translated as errors are.
        last: Time of its last inference; `None` if it was never run.
    """

    entry: Entry
    problem: EngineError | None = None
    family: str = ""
    backbone: str = ""
    names: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    parameters: int | None = None
    dtype: str = ""
    disk_bytes: int = 0
    licence: str = ""
    commit: str = ""
    preprocessing: Preprocessing | None = None
    notes: tuple[EngineError, ...] = ()
    last: LastTime | None = None

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def defaults(self) -> Defaults:
        return self.entry.defaults


def card_of(catalog: Catalog, name: str) -> Card:
    """Describe a model of the catalog; reads small files and the heads of large ones, loads nothing.

    Raises:
        ModelError: there is no such model. Problems of an existing model are reported in `Card.problem`.
    """
    entry = catalog.entry(name)
    try:
        return _described(entry, catalog.path(name))
    except EngineError as error:
        return Card(entry, error, licence=_licence(entry.path), disk_bytes=_size(_files_in(entry.path)))


def unknown_labels(card: Card) -> list[str]:
    """Return the class names among the defaults that the model does not have."""
    return sorted((card.defaults.labels or frozenset()) - set(card.names.values()))


def _described(entry: Entry, path: Path) -> Card:
    model = read_model(path)
    card = Card(
        entry,
        family=model.family_name,
        names=model.names,
        licence=_licence(path),
        preprocessing=model.preprocessing,
        last=last_time(path),
    )
    return _of_file(card, model) if isinstance(model, OnnxModel) else _of_checkpoint(card, model)


def _of_checkpoint(card: Card, model: Checkpoint) -> Card:
    parameters, dtype = _count_parameters(model.tensor_files)
    return replace(
        card,
        backbone=backbone_of(model.config) + (", DC5" if model.timm_resnet and model.timm_resnet.dilated else ""),
        parameters=parameters,
        dtype=dtype,
        disk_bytes=_size(_files_in(model.folder)),
        commit=_commit(model.folder),
        notes=model.notes,
    )


def _of_file(card: Card, model: OnnxModel) -> Card:
    companions = (model.path.parent / name for name in read_onnx_file(model.path).companions)
    return replace(card, disk_bytes=_size((model.path, *companions)))


def backbone_of(config: Mapping[str, Any]) -> str:
    """Return the backbone named in a `config.json`; a ResNet with its usual number of layers, e.g. `resnet50`."""
    backbone = config.get("backbone_config")
    if not isinstance(backbone, Mapping):
        return str(config.get("backbone") or "")
    kind = str(backbone.get("model_type") or "")
    if kind == "timm_backbone":
        return str(backbone.get("backbone") or "")
    depths, layer = backbone.get("depths"), _RESNETS.get(str(backbone.get("layer_type")))
    if (
        "resnet" in kind
        and layer
        and isinstance(depths, list | tuple)
        and all(isinstance(each, int) for each in depths)
    ):
        return f"{kind}{sum(depths) * layer + 2}"
    return kind


def _count_parameters(files: Iterable[Path]) -> tuple[int, str]:
    """Return the number of learnt parameters in the tensor files and their most frequent type."""
    from safetensors import SafetensorError, safe_open

    counts: Counter[str] = Counter()
    try:
        for path in files:
            with safe_open(path, framework="numpy") as file:
                for name in file.keys():  # noqa: SIM118 (it is no mapping)
                    if not name.endswith(_STATISTICS):
                        tensor = file.get_slice(name)
                        counts[tensor.get_dtype()] += math.prod(tensor.get_shape())
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            "checkpoint_truncated",
            "The model {model} cannot be used: {file} is missing, truncated or damaged; copy or download it again.",
            model=path.parent.name,
            file=path.name,
        ) from error
    return counts.total(), max(counts, key=counts.__getitem__, default="")


def _files_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        tensors = [each for each in path.iterdir() if each.suffix == ".safetensors"]
    except OSError:
        tensors = []
    return [path / name for name in _SETTINGS] + tensors


def _size(files: Iterable[Path]) -> int:
    """Return the total size of the existing files, bytes."""
    size = 0
    for path in files:
        try:
            size += path.stat().st_size
        except OSError:
            continue
    return size


def _commit(folder: Path) -> str:
    from engine.models.hub.record import read_record

    record = read_record(folder)
    return record.sha if record else ""


def _licence(path: Path) -> str:
    """Return the licence from the README's YAML header, else from the download record."""
    from engine.models.hub.record import read_record

    folder = path if path.is_dir() else path.parent
    try:
        with (folder / "README.md").open("rb") as file:
            text = file.read(_LONGEST_README).decode("utf-8-sig", "replace")
    except OSError:
        text = ""
    head = text.partition("\n---")[0] if text.startswith("---") else ""
    found = {bool(named): value.strip() for named, value in _LICENCE.findall(head)}
    licence = (found.get(True) if found.get(False) == "other" else None) or found.get(False)
    record = read_record(folder)
    return (licence or (record.licence if record else ""))[:100]
