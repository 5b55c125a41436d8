"""What a user should know of a model that can be used all the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence; the window translates it as it does those of `EngineError`.

    Attributes:
        code: A stable name of the case, e.g. `family_defaults`.
        template: The English sentence with `{name}` fields.
        params: The values of those fields.
    """

    code: str
    template: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The English sentence, filled in."""
        return self.template.format(**self.params)
