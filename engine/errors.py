"""The errors of the engine, each with a sentence for the user."""

from __future__ import annotations


class EngineError(Exception):
    """A failure that the user can understand and do something about.

    Attributes:
        code: A stable name of the case, e.g. `image_truncated`; the window translates by it.
        template: The English sentence with `{name}` fields.
        params: The values of those fields.
    """

    def __init__(self, code: str, template: str, **params: object) -> None:
        self.code = code
        self.template = template
        self.params = params
        super().__init__(template.format(**params) if params else template)

    @property
    def message(self) -> str:
        """The English sentence, filled in."""
        return str(self)


class SourceError(EngineError):
    """The bytes of an image cannot be read: no such file, a refused address, a host that does not answer."""


class ImageError(EngineError):
    """The bytes cannot be decoded: not an image, truncated, too large."""


class ModelError(EngineError):
    """A model cannot be found, read or loaded."""


class DetectionError(EngineError):
    """A loaded model failed: out of memory, a failing device."""


class CancelledError(EngineError):
    """The work was cancelled."""

    def __init__(self) -> None:
        super().__init__("cancelled", "Cancelled.")
