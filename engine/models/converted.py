"""Converted models on disk: those made on this machine, by checkpoint and versions, and the one that ships."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.models.digests import file_digest
from engine.storage.atomic import sync

MODEL_FILE = "model.xml"
_TENSOR_FILE = "model.bin"
_MANIFEST = "manifest.json"
_WORK = ".work-"
_UNREADABLE = ".unreadable-"
SHIPPED = "openvino"
"""The folder inside the starter's that holds its converted form."""
_CONVERSION = 2
"""What is done to a checkpoint; another number makes all of them anew."""
_MOST_ENTRIES = 32
_MOST_BYTES = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted model.

    Attributes:
        model_file: OpenVINO's `.xml`, its tensors beside it.
        score_difference: Largest difference from torch's scores on the probe images.
        pixel_difference: Largest difference from torch's boxes on them, pixels.
    """

    model_file: Path
    score_difference: float
    pixel_difference: float


def refusal(code: str, params: Mapping[str, Any]) -> ModelError:
    """Why a model stays with torch until a version changes; KeyError where it is no such code or parameter."""
    if code == "conversion_differs":
        sentence = "OpenVINO would answer differently: scores by up to {score}, boxes by up to {pixels} pixels."
        return ModelError(code, sentence, score=params["score"], pixels=params["pixels"])
    if code == "conversion_impossible":
        return ModelError(code, "OpenVINO cannot convert this model: {reason}.", reason=params["reason"])
    if code == "conversion_broke":
        return ModelError(code, "The converted model failed: {reason}.", reason=params["reason"])
    raise KeyError(code)


@cache
def versions() -> Mapping[str, str]:
    """What a converted model depends on beside the checkpoint; imports none of it. Empty for what is not installed."""
    found = {"conversion": str(_CONVERSION)}
    for name in ("openvino", "torch", "transformers"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


class ConvertedModels:
    """A folder of converted models and of the reasons why others are not; those that were used longest ago make room.

    What was damaged is absent. Only what writes raises: `OSError`, where the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        most_entries: int = _MOST_ENTRIES,
        most_bytes: int = _MOST_BYTES,
        shipped: Path | None = None,
    ) -> None:
        """Open a folder of converted models.

        Args:
            folder: Need not exist.
            most_entries, most_bytes: What is kept at most.
            shipped: The folder of a form that is installed with the program, if there is one; see `write_shipped`.
        """
        self.folder = folder
        self._shipped = shipped
        self._is_shipped_usable = shipped is not None
        self._most_entries = most_entries
        self._most_bytes = most_bytes

    def find(self, fingerprint: str) -> Converted | ModelError | None:
        """Return the converted model of a checkpoint, or why there is none, or `None` where it was never converted.

        A model that was converted here, or refused, comes before the form that ships.
        """
        manifest = self.told(fingerprint)
        if manifest is None:
            return self._find_shipped(fingerprint)
        try:
            if manifest["refused"]:
                return refusal(manifest["refused"]["code"], manifest["refused"]["params"])
        except (TypeError, LookupError):
            return None
        return _converted(self.folder_of(fingerprint), manifest)

    def told(self, name: str) -> Mapping[str, Any] | None:
        """What was kept with an entry, made by these versions, whose files are whole; else nothing."""
        entry = self.folder_of(name)
        manifest = _read_manifest(entry, name)
        if manifest is None or manifest.get("versions") != versions():
            return None
        with contextlib.suppress(OSError):
            os.utime(entry)
        return manifest

    @contextlib.contextmanager
    def work_folder(self) -> Iterator[Path]:
        """An empty folder to convert in, removed at the end with those that killed programs left.

        One at a time: whoever holds the lock of `folder` may take it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(dir=self.folder, prefix=_WORK))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def keep(self, work: Path, fingerprint: str, score_difference: float, pixel_difference: float) -> None:
        """Keep the model that lies in `work`, which goes.

        Args:
            work: Of `work_folder`; holds `model.xml` and `model.bin`.
            fingerprint: Of the checkpoint it was made from.
            score_difference, pixel_difference: See `Converted`.
        """
        differences = {"score_difference": score_difference, "pixel_difference": pixel_difference}
        self.place(work, fingerprint, {"refused": None, **differences})

    def refuse(self, fingerprint: str, error: ModelError) -> None:
        """Keep the reason, made by `refusal`, why a model is not converted, so that it is not tried again."""
        work = Path(tempfile.mkdtemp(dir=self.folder, prefix=_WORK))
        try:
            self.place(work, fingerprint, {"refused": {"code": error.code, "params": error.params}})
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def drop(self, fingerprint: str) -> bool:
        """Remove a converted model that cannot be opened.

        Returns:
            Whether it was the one that ships, which is not used again until a version changes.
        """
        if self.folder_of(fingerprint).exists() or self._find_shipped(fingerprint) is None:
            shutil.rmtree(self.folder_of(fingerprint), ignore_errors=True)
            return False
        self._is_shipped_usable = False
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._unreadable(fingerprint).touch()
        return True

    def folder_of(self, name: str) -> Path:
        """Where an entry is, or would be."""
        made_by = json.dumps(versions(), sort_keys=True).encode()
        return self.folder / f"{name}-{hashlib.blake2b(made_by, digest_size=4).hexdigest()}"

    def place(self, work: Path, name: str, told: Mapping[str, Any]) -> None:
        """Keep an entry: what is told of it, and the files of the model if any lie in `work`, which goes."""
        files = {file: file_digest(work / file).hex() for file in (MODEL_FILE, _TENSOR_FILE) if (work / file).exists()}
        manifest = {"fingerprint": name, "versions": dict(versions()), "files": files, **told}
        (work / _MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        for path in work.iterdir():
            _sync(path)
        self._make_room(name, _bytes(work))
        work.rename(self.folder_of(name))

    def _find_shipped(self, fingerprint: str) -> Converted | None:
        """Return the form that ships, if it is this checkpoint's, whole, and was not found unreadable here."""
        if self._shipped is None or not self._is_shipped_usable or self._unreadable(fingerprint).exists():
            return None
        manifest = _read_manifest(self._shipped, fingerprint)
        return None if manifest is None else _converted(self._shipped, manifest)

    def _unreadable(self, fingerprint: str) -> Path:
        return self.folder / f"{_UNREADABLE}{self.folder_of(fingerprint).name}"

    def _make_room(self, fingerprint: str, new_bytes: int) -> None:
        """Remove what is kept of this checkpoint, then the least recently used, until there is room for one more."""
        for entry in self.folder.glob(f"{fingerprint}-*"):
            shutil.rmtree(entry)
        entries = sorted(self.folder.glob("*-*"), key=lambda entry: entry.stat().st_mtime, reverse=True)
        entries = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(_WORK)]
        room = self._most_bytes - new_bytes - sum(map(_bytes, entries))
        while entries and (room < 0 or len(entries) >= self._most_entries):
            oldest = entries.pop()
            room += _bytes(oldest)
            shutil.rmtree(oldest, ignore_errors=True)


def _read_manifest(folder: Path, name: str) -> Mapping[str, Any] | None:
    """Return the manifest of an entry if it is that of `name` and its files are whole."""
    try:
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_bytes())
        if manifest["fingerprint"] != name:
            return None
        if any(file_digest(folder / file).hex() != digest for file, digest in manifest["files"].items()):
            return None
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return manifest


def _converted(folder: Path, manifest: Mapping[str, Any]) -> Converted | None:
    """Return the model that lies in `folder`; `None` where its manifest lacks something."""
    try:
        if set(manifest["files"]) != {MODEL_FILE, _TENSOR_FILE}:
            return None
        differences = float(manifest["score_difference"]), float(manifest["pixel_difference"])
    except (ValueError, TypeError, LookupError):
        return None
    return Converted(folder / MODEL_FILE, *differences)


def write_shipped(folder: Path, fingerprint: str, score_difference: float, pixel_difference: float) -> None:
    """Write the manifest of a form that ships with the program.

    Args:
        folder: Holds `model.xml` and `model.bin`.
        fingerprint: Of the checkpoint it was made from.
        score_difference, pixel_difference: See `Converted`.
    """
    files = {file: file_digest(folder / file).hex() for file in (MODEL_FILE, _TENSOR_FILE)}
    differences = {"score_difference": score_difference, "pixel_difference": pixel_difference}
    manifest = {"fingerprint": fingerprint, "files": files, **differences}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _bytes(entry: Path) -> int:
    return sum(path.stat().st_size for path in entry.iterdir())


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        sync(file)
