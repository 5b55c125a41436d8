"""Exceptions of the runtimes as sentences for the user."""

from __future__ import annotations

import re

from engine.errors import DetectionError

_OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "bad_alloc", "failed to allocate")
_OPENVINO_LOCATION = re.compile(
    r"Exception from |Check '|.* failed at src/|FrontEnd API failed|(Load|Convert)ing input model$"
)


def detection_error(error: BaseException, device: str) -> DetectionError:
    """Return the error for what a runtime raised while it loaded or ran a model on `device`."""
    if is_out_of_memory(error):
        return DetectionError(
            "out_of_memory",
            "The memory of {device} is not enough for this image and model; "
            "close other programs or choose a smaller model.",
            device=device,
        )
    return DetectionError(
        "device_failed", "The model failed on {device}: {reason}.", device=device, reason=reason(error)
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, which each library words differently."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def reason(error: BaseException) -> str:
    """Return the first informative line of an exception's text, or its class where there is none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not _OPENVINO_LOCATION.match(line)]
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__
