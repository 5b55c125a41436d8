"""`detrdesk models list` and `show`: the cards of models, for people and as JSON."""

from __future__ import annotations

import argparse
import sys
import time
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from engine.answer import to_json
from engine.cli.exit_codes import DONE, SOME_FAILED
from engine.detect.preprocess import Preprocessing
from engine.engine import Engine
from engine.inference.runtime_selector import RuntimeState
from engine.models.card import Card, card_of, unknown_labels
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import STARTER, Defaults

_MOST_NAMES = 20


def run_list(as_json: bool) -> int:
    """Print every model; 1 where `models.toml` has to be mended."""
    catalog = Catalog()
    cards = [card_of(catalog, name) for name in catalog.names]
    if as_json:
        sys.stdout.write(to_json([_as_dict(card) for card in cards]))
    else:
        print("\n".join(_table(cards)))
    faults = [catalog.problem] if catalog.problem else catalog.notes
    for fault in faults:
        print(f"detrdesk: {fault.message}", file=sys.stderr)
    return SOME_FAILED if faults else DONE


def run_show(given: argparse.Namespace) -> int:
    """Print the card of a model, and what would execute it; 1 where it cannot be used."""
    with closing(Engine()) as engine:
        card = card_of(engine.catalog, engine.catalog.name_of(given.name))
        state = None if card.problem else engine.runtime_state(card.name)
    if given.json:
        sys.stdout.write(to_json(_as_dict(card) | {"runtime": state and _runtime_as_dict(state)}))
    else:
        runtime = [f"{'runtime':<13} {_runtime(state)}"] if state else []
        print("\n".join([*_lines(card), *runtime]))
    return SOME_FAILED if card.problem else DONE


def _table(cards: Sequence[Card]) -> list[str]:
    rows = [["name", "family", "classes", "parameters", "size", "defaults", "where"]]
    rows += [
        [
            card.name,
            card.family or "-",
            f"{len(card.names)}" if card.names else "-",
            _millions(card.parameters),
            _bytes(card.disk_bytes),
            _defaults(card.defaults) or "-",
            _place(card),
        ]
        for card in cards
    ]
    wide = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = ["  ".join([*(_padded(*each) for each in zip(row, wide, strict=False)), row[-1]]) for row in rows]
    problems = [f"\n{card.name}: {card.problem.message}" for card in cards if card.problem]
    return [*lines, *problems]


def _lines(card: Card) -> list[str]:
    names = list(card.names.values())
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    missing = unknown_labels(card) if card.names else []
    facts = {
        "name": card.name,
        "where": _place(card),
        "problem": card.problem.message if card.problem else "",
        "family": card.family,
        "backbone": card.backbone,
        "classes": f"{len(names)}: {', '.join(names[:_MOST_NAMES])}{more}" if names else "",
        "parameters": f"{card.parameters:,}, {card.dtype}" if card.parameters else "",
        "size on disk": _bytes(card.disk_bytes) if card.disk_bytes else "",
        "licence": card.licence,
        "commit": card.commit,
        "input": _input(card.preprocessing) if card.preprocessing else "",
        "defaults": _defaults(card.defaults),
        "last answer": _last(card),
    }
    lines = [f"{fact:<13} {value}" for fact, value in facts.items() if value]
    lines += [f"{'note':<13} {note.message}" for note in card.notes]
    if missing:
        lines.append(f"{'note':<13} The defaults name classes that it does not have: {', '.join(missing)}.")
    return lines


def _as_dict(card: Card) -> dict[str, Any]:
    entry, defaults, last, preprocessing = card.entry, card.defaults, card.last, card.preprocessing
    return {
        "name": card.name,
        "kind": entry.kind,
        "place": entry.place,
        "path": str(entry.path),
        "revision": entry.revision or None,
        "commit": card.commit or None,
        "problem": {"code": card.problem.code, "message": card.problem.message} if card.problem else None,
        "family": card.family or None,
        "backbone": card.backbone or None,
        "names": {str(label_id): name for label_id, name in card.names.items()},
        "parameters": card.parameters,
        "dtype": card.dtype or None,
        "disk_bytes": card.disk_bytes,
        "licence": card.licence or None,
        "input": preprocessing
        and {
            "size": preprocessing.size,
            "scale": preprocessing.scale,
            "mean": preprocessing.mean,
            "std": preprocessing.std,
        },
        "defaults": {
            "threshold": defaults.threshold,
            "top_k": defaults.top_k,
            "labels": None if defaults.labels is None else sorted(defaults.labels),
        },
        "notes": [note.message for note in card.notes],
        "last": last
        and {"ms": round(last.milliseconds, 1), "runtime": last.runtime, "device": last.device, "at": last.at},
    }


def _runtime_as_dict(state: RuntimeState) -> dict[str, Any]:
    return {
        "name": state.runtime,
        "device": state.device,
        "precision": state.precision,
        "precision_problem": state.precision_problem
        and {"code": state.precision_problem.code, "message": state.precision_problem.message},
        "conversion": state.conversion,
        "problem": state.problem and {"code": state.problem.code, "message": state.problem.message},
    }


def _runtime(state: RuntimeState) -> str:
    told = f"{state.runtime}, device {state.device}"
    if state.precision_problem is not None:
        told = f"{told}; {state.precision_problem.message}"
    if state.problem is not None:
        return f"{told}; {state.problem.message}"
    if state.score_difference is None or state.pixel_difference is None:
        return told
    return f"{told}; differs from torch by {state.score_difference:.1g} in scores, {state.pixel_difference:.2g} pixels"


def _place(card: Card) -> str:
    entry = card.entry
    if entry.name == STARTER:
        return "bundled"
    return f"hub: {entry.place}{'@' if entry.revision else ''}{entry.revision}" if entry.kind == "hub" else entry.place


def _defaults(defaults: Defaults) -> str:
    told = []
    if defaults.threshold is not None:
        told.append(f"above {defaults.threshold:g}")
    if defaults.top_k is not None:
        told.append(f"top {defaults.top_k}")
    if defaults.labels is not None:
        told.append("classes " + ", ".join(sorted(defaults.labels)))
    return ", ".join(told)


def _input(preprocessing: Preprocessing) -> str:
    size = preprocessing.size
    if size is None:
        told = "as large as the image"
    elif "shortest_edge" in size:
        longest = f", the longer at most {size['longest_edge']}" if "longest_edge" in size else ""
        told = f"shorter side {size['shortest_edge']}{longest} pixels"
    elif "width" in size:
        told = f"{size['width']} x {size['height']} pixels"
    else:
        told = f"at most {size['max_width']} x {size['max_height']} pixels"
    mean, std = ("/".join(f"{value:g}" for value in values) for values in (preprocessing.mean, preprocessing.std))
    return f"{told}, x {preprocessing.scale:.6g}, mean {mean}, std {std}"


def _last(card: Card) -> str:
    if card.last is None:
        return ""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(card.last.at))
    return f"{card.last.milliseconds:.0f} ms by {card.last.runtime} on {card.last.device}, {when}"


def _millions(count: int | None) -> str:
    return "-" if not count else f"{count / 1e6:.1f} M"


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size else "-"


def _width(text: str) -> int:
    """Columns in a terminal; Chinese takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, wide: int) -> str:
    return text + " " * (wide - _width(text))
