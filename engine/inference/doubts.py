"""Whose fault it was that a form of a model failed at an image: its own, where the next form answers for that image."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from engine.errors import DetectionError, ModelError
from engine.inference.conversions import Conversions
from engine.inference.fast_runtimes import FastRuntimes
from engine.models.converted import refusal

_log = logging.getLogger("detrdesk.runtimes")


@dataclass(slots=True)
class _Doubt:
    """Forms of one model that failed at an image; nobody uses them until it is known whether it was their fault.

    Attributes:
        fast: What names the answers of its fast form, if that failed.
        converted: Why its converted form would be refused, if that failed.
        is_tried: Whether the next form was opened to be tried on the same image.
    """

    fast: str = ""
    converted: ModelError | None = None
    is_tried: bool = False


class Doubts:
    """The doubts about models, by fingerprint; called in a turn at the model."""

    def __init__(self, conversions: Conversions, fast: FastRuntimes) -> None:
        self._conversions = conversions
        self._fast = fast
        self._open: dict[str, _Doubt] = {}

    def fast_failed(self, fingerprint: str, answers: str, error: DetectionError) -> None:
        """A fast form failed at an image; f32 is tried next."""
        self._doubt(fingerprint).fast = answers
        self._fast.fail(fingerprint, answers, error)

    def converted_failed(self, fingerprint: str, error: DetectionError) -> None:
        """The converted form failed at an image; torch is tried next."""
        problem = refusal("conversion_broke", {"reason": error.message.rstrip(".")})
        self._doubt(fingerprint).converted = problem
        self._conversions.doubt(fingerprint, problem)

    def opening(self, fingerprint: str) -> None:
        """A form is opened: the first time to be tried on the image; after that the image was given up."""
        doubt = self._open.get(fingerprint)
        if doubt is not None and doubt.is_tried:
            self.dismiss(fingerprint)
        elif doubt is not None:
            doubt.is_tried = True

    def dismiss_untried(self) -> None:
        """The next form could not even be opened, so that nothing is known of those before it."""
        for fingerprint in [each for each, doubt in self._open.items() if not doubt.is_tried]:
            self.dismiss(fingerprint)

    def confirm(self, fingerprint: str, model: str) -> None:
        """The next form answered for the image: those that failed at it are not used again; the log names the model."""
        doubt = self._open.pop(fingerprint, None)
        if doubt is not None and doubt.converted is not None:
            _log.warning("The model %s goes back to torch. %s", model, doubt.converted.message)
            self._conversions.refuse(fingerprint, doubt.converted)

    def dismiss(self, fingerprint: str) -> None:
        """The last form failed at the image, too, or was not tried on it: those before it are used again."""
        doubt = self._open.pop(fingerprint, None)
        if doubt is None:
            return
        if doubt.fast:
            self._fast.trust(fingerprint, doubt.fast)
        if doubt.converted is not None:
            self._conversions.trust(fingerprint)

    def _doubt(self, fingerprint: str) -> _Doubt:
        doubt = self._open.setdefault(fingerprint, _Doubt())
        doubt.is_tried = False
        return doubt
