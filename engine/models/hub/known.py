"""Well-known models of the hub, listed without a request."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from engine.paths import resource


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A widely used model.

    Attributes:
        id: Its id on the hub, `owner/name`.
        family: `model_type` of its config.
        ap: COCO val2017 AP at IoU 0.50:0.95, percent; `None` if unknown.
        megabytes: Approximate size of its tensors.
        licence: As the hub names it.
        about: One sentence, English.
        about_zh: The same, Chinese.
    """

    id: str
    family: str
    megabytes: int
    licence: str
    about: str
    about_zh: str
    ap: float | None = None


def known_models() -> tuple[KnownModel, ...]:
    """Return the models of `hub_models.toml`, in file order."""
    with resource("hub_models.toml").open("rb") as file:
        return tuple(KnownModel(**each) for each in tomllib.load(file)["model"])
