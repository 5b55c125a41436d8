"""The safetensors files of a checkpoint, verified without loading a tensor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from engine.errors import ModelError
from engine.models.checkpoint.json_files import check_no_pointer, missing_file, read_json

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = "pytorch_model*.bin"

Shapes = Mapping[str, tuple[int, ...]]


def tensor_files(folder: Path) -> tuple[Path, ...]:
    """The files that hold a checkpoint's tensors: one, or those that its index names.

    Raises:
        ModelError: there are none, there is only a pickle, or the index names what is not in the folder.
    """
    if (folder / SINGLE).exists():
        return (folder / SINGLE,)
    if (folder / INDEX).exists():
        return tuple(folder / name for name in _shards(folder))
    if any(folder.glob(PICKLES)):
        raise _pickle_refused(folder)
    raise missing_file(folder, SINGLE)


def shapes_of(files: tuple[Path, ...]) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor by its name; only the files' heads are read.

    Raises:
        ModelError: a file is missing, truncated, damaged or a pointer of Git LFS.
    """
    from safetensors import SafetensorError, safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        try:
            if not path.is_file():  # a pipe would be waited for
                raise FileNotFoundError(path.name)
            check_no_pointer(path, path.parent.name)
            with safe_open(path, framework="numpy") as file:
                shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError(
                "checkpoint_truncated",
                "The model {model} cannot be used: {file} is missing, truncated or damaged; copy or download it again.",
                model=path.parent.name,
                file=path.name,
            ) from error
    return shapes


def _shards(folder: Path) -> list[str]:
    """The names in the index; each is that of a file in the folder itself."""
    named = read_json(folder, INDEX).get("weight_map")
    names = set(named.values()) if isinstance(named, dict) and all(map(_is_text, named.values())) else set()
    if not names or not all(_is_inside(folder, name) for name in names):
        raise ModelError(
            "checkpoint_index",
            "The model {model} cannot be used: its index names no file, or one outside its folder.",
            model=folder.name,
        )
    return sorted(names)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_inside(folder: Path, name: str) -> bool:
    """Whether this is a plain file name, and no link that leads elsewhere.

    The hub's cache is known: its snapshots are folders of links to `blobs` beside them.
    """
    if "\0" in name or name in {"", ".", ".."} or {PurePosixPath(name).name, PureWindowsPath(name).name} != {name}:
        return False
    target, home = (folder / name).resolve(), folder.resolve()
    cached = home.parent.name == "snapshots" and target.parent == home.parent.parent / "blobs"
    return target.parent == home or cached


def _pickle_refused(folder: Path) -> ModelError:
    from shlex import quote

    return ModelError(
        "pickle_refused",
        "The model {model} is saved as pytorch_model.bin, a format that can run code when it is opened: "
        "{command} converts it in a process that may do nothing else.",
        model=folder.name,
        command=f"detrdesk models unpickle {quote(folder.name)}",
    )
