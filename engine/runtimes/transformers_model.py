"""Loading of checkpoints into transformers models, offline, from files that were checked."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from engine.errors import ModelError
from engine.models.checkpoint.checkpoint import Checkpoint
from engine.models.checkpoint.timm_keys import dilate_last_stage, renamed
from engine.runtimes.failures import detection_error, reason
from engine.runtimes.tensor_reading import read_tensors


def import_model_class(checkpoint: Checkpoint) -> None:
    """Import what `load_model` needs; errors are left to it."""
    with suppress(Exception):
        from transformers import CONFIG_MAPPING, MODEL_FOR_OBJECT_DETECTION_MAPPING

        MODEL_FOR_OBJECT_DETECTION_MAPPING.get(CONFIG_MAPPING[checkpoint.family_name], None)


def load_model(checkpoint: Checkpoint) -> Any:
    """Load the model on the CPU, float32, for inference only.

    Raises:
        ModelError: the files do not make a model.
        DetectionError: out of memory.
    """
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model, report = _filled(checkpoint)
    except MemoryError as error:
        raise detection_error(error, "cpu") from error
    except Exception as error:  # transformers raises whatever its parts raise; the user needs one sentence
        raise ModelError(
            "model_unloadable",
            "The model {model} cannot be loaded: {reason}.",
            model=checkpoint.folder.name,
            reason=reason(error),
        ) from error
    _refuse_mismatched(checkpoint, report)
    if checkpoint.timm_resnet is not None and checkpoint.timm_resnet.dilated:
        dilate_last_stage(_resnet(model))
    return model.eval().requires_grad_(False)


def load_weights(checkpoint: Checkpoint) -> tuple[Any, dict[str, Any]]:
    """Return the `PreTrainedConfig` and the float32 tensors by name."""
    from transformers import CONFIG_MAPPING

    tensors: dict[str, Any] = {}
    for path in checkpoint.tensor_files:
        tensors |= read_tensors(path)
    if checkpoint.timm_resnet is not None:
        tensors = {renamed(name): tensor for name, tensor in tensors.items()}
    return CONFIG_MAPPING[checkpoint.family_name].from_dict(dict(checkpoint.config)), tensors


def _filled(checkpoint: Checkpoint) -> tuple[Any, dict[str, Any]]:
    """Return the model, and transformers' report of what did not fit."""
    import torch
    from transformers import MODEL_FOR_OBJECT_DETECTION_MAPPING

    config, tensors = load_weights(checkpoint)
    model, report = MODEL_FOR_OBJECT_DETECTION_MAPPING[type(config)].from_pretrained(
        None,
        config=config,
        state_dict=tensors,
        dtype=torch.float32,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
    )
    return model, report


def _refuse_mismatched(checkpoint: Checkpoint, report: dict[str, Any]) -> None:
    """Raise for missing tensors and wrong shapes; superfluous tensors (other heads, training counters) are ignored."""
    for name, saved, wanted in sorted(report["mismatched_keys"]):
        raise ModelError(
            "tensor_shape",
            "The model {model} cannot be loaded: the tensor {tensor} is {saved}, config.json makes it {wanted}; "
            "take the config.json that was saved with it.",
            model=checkpoint.folder.name,
            tensor=name,
            saved=_shape_text(saved),
            wanted=_shape_text(wanted),
        )
    missing = sorted(report["missing_keys"])
    if missing:
        raise ModelError(
            "tensors_missing",
            "The model {model} cannot be loaded: {count} tensors are missing, the first is {tensor}.",
            model=checkpoint.folder.name,
            count=len(missing),
            tensor=missing[0],
        )


def _shape_text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"


def _resnet(model: Any) -> Any:
    from transformers import ResNetBackbone

    return next(module for module in model.modules() if isinstance(module, ResNetBackbone))
