"""Reading the list of models and their cards."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from desktop.models.facts import facts_of, notes_of
from desktop.state.hub import Download, Phase
from desktop.state.model import ConversionProgress, ModelRow, ModelView, Presence
from desktop.style.i18n import error_text
from engine.engine import Engine
from engine.errors import EngineError
from engine.inference.runtime_selector import RuntimeState
from engine.models.card import Card, card_of
from engine.models.catalog.entry import STARTER, Entry
from engine.models.downloaded import is_downloaded
from engine.models.last_times import last_time
from engine.models.onnx.model import OnnxModel

Stamp = tuple[object, ...]
_WATCHED = ("config.json", "preprocessor_config.json", "model.safetensors", "model.safetensors.index.json", "README.md")


class ModelReader:
    """Reads each card once, and again when one of its files has changed; used in one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._catalog = engine, engine.catalog
        self._cards: dict[str, tuple[Stamp, Card]] = {}

    def rows(self, in_use: str) -> tuple[ModelRow, ...]:
        """Return the rows of the list; `in_use` is the name of the model in use."""
        return tuple(self._row(self._card(entry), in_use) for entry in self._catalog.entries)

    def view(self, name: str, in_use: str, downloads: Sequence[Download]) -> ModelView | None:
        """Return what a model's card shows; `None` where it is not in the catalog any more."""
        try:
            entry = self._catalog.entry(name)
        except EngineError:
            return None
        card = self._card(entry)
        (row, *_) = with_downloads((self._row(card, in_use),), downloads)
        runtime, is_nameless = self._loaded_facts(card)
        return ModelView(
            row=row,
            facts=facts_of(card, runtime),
            notes=notes_of(card),
            classes=tuple(sorted(card.names.items())),
            defaults=card.defaults,
            is_kept=name == STARTER or self._catalog.is_kept(name),
            is_downloaded=name != STARTER and is_downloaded(entry.path),
            hub_id=entry.place if entry.kind == "hub" else "",
            names_unknown=is_nameless,
            conversion=self._conversion(card),
        )

    def forget(self, name: str) -> None:
        """Read a model's files again the next time."""
        self._cards.pop(name, None)

    def _loaded_facts(self, card: Card) -> tuple[RuntimeState | None, bool]:
        if card.problem is not None:
            return None, False
        try:
            model = self._engine.recipe(card.name)
            return self._engine.runtime_state(card.name), isinstance(model, OnnxModel) and model.names_unknown
        except EngineError:  # its files were removed meanwhile
            return None, False

    def _conversion(self, card: Card) -> ConversionProgress | None:
        if card.problem is not None:
            return None
        try:
            state = self._engine.conversion(card.name)
        except EngineError:  # its files were removed meanwhile
            return None
        return ConversionProgress(state.percent) if state.is_under_way else None

    def _card(self, entry: Entry) -> Card:
        stamp = _stamp(entry)
        known = self._cards.get(entry.name)
        if known is None or known[0] != stamp:
            known = stamp, card_of(self._catalog, entry.name)
            self._cards[entry.name] = known
        return replace(known[1], last=last_time(entry.path))

    def _row(self, card: Card, in_use: str) -> ModelRow:
        return ModelRow(
            name=card.name,
            presence=self._presence(card, in_use),
            problem="" if card.problem is None else error_text(card.problem),
            place=card.entry.place,
            size=card.disk_bytes,
        )

    def _presence(self, card: Card, in_use: str) -> Presence:
        if card.problem is not None:
            return Presence.NOT_HERE if card.problem.code == "model_not_downloaded" else Presence.BROKEN
        if card.name == in_use:
            return Presence.IN_USE
        return Presence.HERE if self._engine.loaded(card.name) is None else Presence.IN_MEMORY


def with_downloads(rows: Sequence[ModelRow], downloads: Sequence[Download]) -> tuple[ModelRow, ...]:
    """Return the rows with the downloads that run or pause."""
    coming = {each.model: each for each in downloads if each.phase in (Phase.RUNNING, Phase.PAUSED)}
    shown = [
        replace(row, presence=Presence.DOWNLOADING, percent=coming[row.place].percent, problem="")
        if row.presence is Presence.NOT_HERE and row.place in coming
        else row
        for row in rows
    ]
    places = {row.place for row in shown}
    more = [
        ModelRow(each.model.rpartition("/")[2], Presence.DOWNLOADING, place=each.model, percent=each.percent)
        for each in coming.values()
        if each.model not in places
    ]
    return (*shown, *more)


def _stamp(entry: Entry) -> Stamp:
    """Return a value that changes with the entry or one of its files."""
    path = entry.path
    return (entry, _stat(path), *(_stat(path / name) for name in _WATCHED))


def _stat(path: Path) -> Stamp:
    try:
        stat = os.stat(path)  # noqa: PTH116 (pathlib raises on names that are too long)
    except (OSError, ValueError):
        return ()
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)
