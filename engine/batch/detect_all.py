"""Detecting in all images of a list, whatever their model is called meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from engine.batch.detect_many import Answer, Failure, detect_many
from engine.detect.tiling import Tiling
from engine.engine import Engine
from engine.errors import ModelError
from engine.image.source import Source
from engine.inference.scheduler import Cancelled
from engine.models.catalog.entry import known_as


def detect_all(
    engine: Engine,
    sources: Iterable[Source],
    model: str | None = None,
    cancelled: Cancelled = bool,
    fresh: bool = False,
    tiling: Tiling | None = None,
) -> Generator[Answer | Failure, None, None]:
    """As `detect_many`, and where the model is renamed on the way, it goes on with the same one under its new name.

    Raises:
        ModelError: the model cannot be found or loaded, or was removed meanwhile.
    """
    name = engine.catalog.name_of(model or engine.settings.model)
    place = engine.catalog.entry(name).place
    waiting = _Waiting(sources)
    while True:
        with closing(detect_many(engine, waiting, name, cancelled, fresh, tiling)) as outcomes:
            try:
                for outcome in outcomes:
                    if _name_now(engine, place, name) != name:
                        break  # by whichever model has that name now
                    waiting.answered()
                    yield outcome
                else:
                    return
            except ModelError:
                if _name_now(engine, place, name) == name:
                    raise
        name = _name_now(engine, place, name)


class _Waiting:
    """The images of a list that have no answer yet; each way through it begins with them."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._rest = iter(sources)
        self._taken: deque[Source] = deque()

    def __iter__(self) -> Iterator[Source]:
        yield from tuple(self._taken)
        for source in self._rest:
            self._taken.append(source)
            yield source

    def answered(self) -> None:
        """The first of them has its answer."""
        self._taken.popleft()


def _name_now(engine: Engine, place: str, name: str) -> str:
    """What the model at a place is called.

    Raises:
        ModelError: it is not in the catalog any more, whatever has its name now.
    """
    entries = engine.catalog.entries
    if any(entry.name == name and entry.place == place for entry in entries):
        return name
    now = known_as(place, entries)
    if now is None:
        engine.catalog.entry(name)
        raise ModelError("model_replaced", "The model {model} was removed; another one has its name now.", model=name)
    return now
