"""The properties of a model in words."""

from __future__ import annotations

import time
from collections.abc import Mapping

from desktop.state.model import Fact
from desktop.style.i18n import error_text, tr, tr_count
from engine.detect.preprocess import Preprocessing
from engine.inference.runtime_selector import RuntimeState
from engine.models.card import Card, unknown_labels
from engine.models.catalog.entry import STARTER, Entry

_RUNTIMES = {"torch": "PyTorch", "openvino": "OpenVINO"}
_UNDER_WAY = ("waiting", "loading", "converting", "comparing")
_MILLION, _MEGABYTE = 1e6, 1e6


def facts_of(card: Card, runtime: RuntimeState | None) -> tuple[Fact, ...]:
    """Return the lines of a card; unknown properties are left out.

    Args:
        card: The model.
        runtime: The runtime that executes it; `None` where it cannot be used.
    """
    numbers = (_parameters(card), _size(card), _last(card), _class_count(card))
    texts = (
        Fact(tr("Family"), card.family),
        Fact(tr("Backbone"), card.backbone),
        Fact(tr("Licence"), card.licence),
        Fact(tr("Runtime"), "" if runtime is None else runtime_text(runtime)),
        Fact(tr("Input"), "" if card.preprocessing is None else input_text(card.preprocessing)),
        Fact(tr("Place"), place_text(card.entry)),
        Fact(tr("Commit"), card.commit),
    )
    return tuple(fact for fact in (*numbers, *texts) if fact.text)


def notes_of(card: Card) -> tuple[str, ...]:
    """Return warnings and hints about a model."""
    notes = [error_text(note) for note in card.notes]
    missing = unknown_labels(card) if card.names else []
    if missing:
        names = tr(", ").join(missing)
        notes.append(tr("Its defaults name classes that it does not have: {names}.", names=names))
    return tuple(notes)


def runtime_text(state: RuntimeState) -> str:
    """Return the runtime that executes a model, and why a faster one does not."""
    name = _runtime_name(state.runtime)
    device = tr("the fastest device there is") if state.device == "auto" else state.device
    told = tr("{runtime} on {device}", runtime=name, device=device)
    problem = state.problem or state.precision_problem
    if problem is not None:
        return tr("{runtime}. {reason}", runtime=told, reason=error_text(problem))
    if state.conversion in _UNDER_WAY:
        return tr("{runtime}; being prepared for OpenVINO…", runtime=told)
    if state.score_difference is None or state.pixel_difference is None:
        return told
    if state.runtime.startswith("torch"):
        return tr("{runtime}; OpenVINO takes over at the next answer", runtime=told)
    return tr(
        "{runtime}; differs from PyTorch by at most {score} in scores, {pixels} pixels in boxes",
        runtime=told,
        score=f"{state.score_difference:.1g}",
        pixels=f"{state.pixel_difference:.2g}",
    )


def input_text(preprocessing: Preprocessing) -> str:
    """Return the input size and normalisation."""
    mean, std = ("/".join(f"{value:g}" for value in values) for values in (preprocessing.mean, preprocessing.std))
    size, scale = _input_size(preprocessing), f"{preprocessing.scale:.4g}"
    return tr("{size}; × {scale}, mean {mean}, deviation {std}", size=size, scale=scale, mean=mean, std=std)


def place_text(entry: Entry) -> str:
    """Return where a model's files are."""
    if entry.name == STARTER:
        return tr("comes with the program")
    if entry.kind == "hub":
        return tr("hub: {place}", place=f"{entry.place}@{entry.revision}" if entry.revision else entry.place)
    return entry.place


def _runtime_name(runtime: str) -> str:
    """Return the written form of, e.g., `openvino bf16`."""
    name, *precision = runtime.split(" ")
    return " ".join((_RUNTIMES.get(name, name), *precision))


def _parameters(card: Card) -> Fact:
    if not card.parameters:
        return Fact(tr("Parameters"), "")
    if card.parameters < _MILLION:
        return Fact(tr("Parameters"), card.dtype, f"{card.parameters:,}")
    number = f"{card.parameters / _MILLION:,.1f}"
    return Fact(tr("Parameters"), tr("million, {dtype}", dtype=card.dtype), number)


def _size(card: Card) -> Fact:
    megabytes = f"{card.disk_bytes / _MEGABYTE:,.1f}"
    return Fact(tr("Size on disk"), "MB" if card.disk_bytes else "", megabytes)


def _last(card: Card) -> Fact:
    if card.last is None:
        return Fact(tr("Last answer"), "")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(card.last.at))
    runtime = _runtime_name(card.last.runtime)
    text = tr("ms, {runtime} on {device}, {when}", runtime=runtime, device=card.last.device, when=when)
    return Fact(tr("Last answer"), text, f"{card.last.milliseconds:,.0f}")


def _class_count(card: Card) -> Fact:
    count = len(card.names)
    return Fact(tr("Classes"), tr_count("class", "classes", count) if count else "", f"{count:,}")


def _input_size(preprocessing: Preprocessing) -> str:
    size = preprocessing.size
    if size is None:
        return tr("as large as the image")
    if "shortest_edge" in size:
        if "longest_edge" in size:
            return tr("shorter side {shorter}, longer at most {longer} pixels", **_edges(size))
        return tr("shorter side {shorter} pixels", **_edges(size))
    if "width" in size:
        return tr("{width} × {height} pixels", width=size["width"], height=size["height"])
    return tr("at most {width} × {height} pixels", width=size["max_width"], height=size["max_height"])


def _edges(size: Mapping[str, int]) -> dict[str, int]:
    return {"shorter": size["shortest_edge"], "longer": size.get("longest_edge", 0)}
