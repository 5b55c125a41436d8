"""The runtime that executes checkpoints by PyTorch, on CUDA, MPS or the CPU."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any

from engine.detect.agreement import difference, largest
from engine.detect.precision import F32, HALF, runtime_name
from engine.detect.recipe import PIXELS, Tensors, prepare
from engine.errors import ModelError
from engine.models.checkpoint.checkpoint import Checkpoint
from engine.runtimes.detector import Detector
from engine.runtimes.failures import detection_error
from engine.runtimes.folding import fold_batch_norms
from engine.runtimes.gpu_preprocess import GpuPreprocessing, agrees_with_pillow, upload
from engine.runtimes.probe_images import probe_images
from engine.runtimes.transformers_model import import_model_class, load_model

HALF_SCORE, HALF_PIXELS = 5e-3, 2.0
"""Largest differences of half precision from f32 on the probe images."""

_LARGEST_BATCH = 8
"""Images in a batch on a GPU; larger ones gain little and make others wait."""


class TorchRuntime:
    """A checkpoint loaded into PyTorch; see `Runtime`."""

    name: str = "torch"
    variant: str = F32

    def __init__(self, checkpoint: Checkpoint, device: str = "auto") -> None:
        """Load the checkpoint.

        Args:
            checkpoint: A checkpoint that was read and checked.
            device: `auto` (CUDA, then MPS, then the CPU), `cpu`, `cuda`, `cuda:N` or `mps`.

        Raises:
            ModelError: the device is not there, or the files do not make a model.
        """
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        # In a thread: importing keeps exceptions with the frames of all callers, which would keep the image in memory.
        with ThreadPoolExecutor(1, "loading") as apart:
            apart.submit(self._load, checkpoint, device).result()
        self.device = _device_name(self._torch, self._device)
        self._prepare: GpuPreprocessing | None = None
        self._largest_batch = _LARGEST_BATCH if self._device.type == "cuda" else 1
        self._half: Any = None
        if self._device.type == "cuda" and self.use_half(checkpoint, self._torch.float16):
            self.take_pixels(checkpoint)  # not in f32, whose detections count as exact

    def _load(self, checkpoint: Checkpoint, device: str) -> None:
        with _no_collection():
            with _frozen_imports():
                import torch

                import_model_class(checkpoint)
            self._torch: Any = torch
            self._device = _chosen_device(torch, device)
            self._model: Any = _load_model(checkpoint, self._device, torch.channels_last)

    def use_half(self, checkpoint: Checkpoint, kind: Any) -> bool:
        """Compute in half precision if its detections are within the limits; returns whether they are.

        Args:
            checkpoint: The one that was loaded.
            kind: `torch.float16` or `torch.bfloat16`.

        Raises:
            DetectionError: out of memory, or the device failed.
        """
        prepared = [prepare(checkpoint, image) for image in probe_images()]
        detector = Detector("", checkpoint, self)
        reference = [detector.detect(one) for one in prepared]
        self._half = kind
        found = largest(
            difference(detector.detect(one), exact, HALF_SCORE) for one, exact in zip(prepared, reference, strict=True)
        )
        if found.score > HALF_SCORE or found.pixels > HALF_PIXELS:
            self._half = None
            return False
        self.variant, self.name = HALF, runtime_name(TorchRuntime.name, HALF)
        return True

    @property
    def batch_size(self) -> int:
        """See `Runtime.batch_size`."""
        return self._largest_batch

    @property
    def takes_pixels(self) -> bool:
        """See `Runtime.takes_pixels`."""
        return self._prepare is not None

    def take_pixels(self, checkpoint: Checkpoint) -> bool:
        """Resize and normalise on the device from now on, if it does so as Pillow does; returns whether it does."""
        if agrees_with_pillow(checkpoint.preprocessing, self._device):
            self._prepare = GpuPreprocessing(checkpoint.preprocessing, self._device)
        return self.takes_pixels

    def run(self, tensors: Tensors) -> Tensors:
        """See `Runtime.run`."""
        return self._run([tensors])[0]

    def run_batch(self, images: Iterable[Tensors]) -> list[Tensors]:
        """See `Runtime.run_batch`."""
        rest, outputs = iter(images), list[Tensors]()
        while batch := list(islice(rest, self._largest_batch)):
            outputs += self._run(batch)
        return outputs

    def _run(self, images: Sequence[Tensors]) -> list[Tensors]:
        torch = self._torch
        try:
            with (
                torch.inference_mode(),
                torch.autocast(self._device.type, self._half, enabled=self._half is not None),
            ):
                output = self._model(**self._batch(images))
                outputs = {name: output[name].float().cpu().numpy() for name in ("logits", "pred_boxes")}
        except Exception as error:  # transformers raises whatever its parts raise; the user needs one sentence
            failure = detection_error(error, self.device)
            if failure.code == "out_of_memory":
                self._largest_batch = max(1, len(images) // 2)
            raise failure from error
        return [{name: array[at : at + 1] for name, array in outputs.items()} for at in range(len(images))]

    def _batch(self, images: Sequence[Tensors]) -> dict[str, Any]:
        on_device = [self._on_device(image) for image in images]
        if len(images) == 1:
            return on_device[0]
        return {name: self._torch.cat([image[name] for image in on_device]) for name in on_device[0]}

    def _on_device(self, image: Tensors) -> dict[str, Any]:
        tensors = {name: upload(array, self._device) for name, array in image.items()}
        if self._prepare is None or PIXELS not in tensors:
            return tensors
        values, mask = self._prepare(tensors[PIXELS])
        return {"pixel_values": values} if mask is None else {"pixel_values": values, "pixel_mask": mask}

    def close(self) -> None:
        """See `Runtime.close`."""
        self._model = self._prepare = None
        gc.collect()
        if self._device.type == "cuda":
            self._torch.cuda.empty_cache()


@contextmanager
def _frozen_imports() -> Iterator[None]:
    """Freeze what is imported in the block, so that the garbage collector skips it.

    PyTorch and transformers create 400,000 permanent objects; traversing them stops every thread for a quarter of a
    second.
    """
    modules = len(sys.modules)
    yield
    if len(sys.modules) > modules:
        gc.freeze()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disable the garbage collector in the block; it would run several times while PyTorch is imported."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def available_devices() -> list[tuple[str, str]]:
    """Return the devices that PyTorch can use, best first: (setting, display name)."""
    import torch

    devices = [torch.device("cuda", at) for at in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        devices.append(torch.device("mps"))
    devices.append(torch.device("cpu"))
    return [(str(device), _device_name(torch, device)) for device in devices]


def _chosen_device(torch: Any, wanted: str) -> Any:
    names = [name for name, _ in available_devices()]
    if wanted == "auto":
        return torch.device(names[0])
    name = "cuda:0" if wanted == "cuda" else wanted
    if name not in names:
        raise ModelError(
            "device_unavailable",
            "The device {device} is not available here; choose one of {available}.",
            device=wanted,
            available=", ".join(names),
        )
    return torch.device(name)


def _device_name(torch: Any, device: Any) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def _load_model(checkpoint: Checkpoint, device: Any, memory_format: Any) -> Any:
    model = load_model(checkpoint)
    fold_batch_norms(model)
    try:
        return model.to(device, memory_format=memory_format)
    except (RuntimeError, MemoryError) as error:
        raise detection_error(error, str(device)) from error
