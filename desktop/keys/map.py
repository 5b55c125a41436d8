"""Which keys do what: the usual ones of each action, and those that the user gave it instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence

from desktop.style.actions import ActionSpec

Keys = tuple[str, ...]
ChosenKeys = Mapping[str, Keys]
"""Keys in place of the usual ones, by the action's name; none at all takes an action its keys."""

_STRONG = int(Qt.KeyboardModifier.ControlModifier) | int(Qt.KeyboardModifier.AltModifier)
_MODIFIERS = int(Qt.KeyboardModifier.KeyboardModifierMask)


def remapped(specs: Sequence[ActionSpec], chosen: ChosenKeys) -> tuple[ActionSpec, ...]:
    """The actions with the chosen keys, which win over usual ones; one that text fields need acts on the image only."""
    taken: list[str] = []
    after: dict[str, ActionSpec] = {}
    for spec in sorted(specs, key=lambda spec: spec.name not in chosen):
        wanted = filter(_is_key, chosen[spec.name]) if spec.name in chosen else spec.keys
        keys = tuple(key for key in wanted if not any(_clash(key, each) for each in taken))
        if spec.name in chosen:
            taken += keys
        on_image = spec.on_image or (spec.name in chosen and any(map(acts_on_image_only, keys)))
        after[spec.name] = replace(spec, keys=keys, on_image=on_image)
    return tuple(after[spec.name] for spec in specs)


def user_of(key: str, specs: Iterable[ActionSpec], beside: str = "") -> ActionSpec | None:
    """The action that has this key or one that begins with it, other than the one named `beside`."""
    return next((spec for spec in specs if spec.name != beside and any(_clash(key, each) for each in spec.keys)), None)


def given(specs: Sequence[ActionSpec], chosen: ChosenKeys, name: str, keys: Keys) -> dict[str, Keys]:
    """The chosen keys after one action gets `keys`, which others lose; usual ones are not kept as chosen.

    Args:
        specs: Every action with its usual keys.
        chosen: What was chosen so far; names that no action has stay.
        name: Of the action.
        keys: All of its keys from now on.
    """
    now = dict(chosen)
    for spec in specs:
        before = chosen.get(spec.name, spec.keys)
        after = keys if spec.name == name else tuple(key for key in before if not any(_clash(key, k) for k in keys))
        if after != before:
            now[spec.name] = after
        if now.get(spec.name) == spec.keys:
            del now[spec.name]
    return now


def usual_again(specs: Sequence[ActionSpec], chosen: ChosenKeys, name: str) -> dict[str, Keys]:
    """The chosen keys after one action has its usual ones back, which others lose."""
    return given(specs, chosen, name, next(spec.keys for spec in specs if spec.name == name))


def acts_on_image_only(key: str) -> bool:
    """Whether text fields or buttons need this key: neither Ctrl nor Alt is in it, and it is no F-key."""
    first = QKeySequence(key)[0]
    plain = first & ~_MODIFIERS
    is_function_key = int(Qt.Key.Key_F1) <= plain <= int(Qt.Key.Key_F35)
    return not first & _STRONG and not is_function_key


def shown(keys: Iterable[str]) -> str:
    """Keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return "   ".join(dict.fromkeys(QKeySequence(key).toString(native) for key in keys))


def _is_key(key: str) -> bool:
    sequence = QKeySequence(key)
    return not sequence.isEmpty() and sequence[0] & ~_MODIFIERS != int(Qt.Key.Key_unknown)


def _clash(one: str, other: str) -> bool:
    """Whether Qt could not tell which is meant."""
    none = QKeySequence.SequenceMatch.NoMatch
    first, second = QKeySequence(one), QKeySequence(other)
    return first.matches(second) != none or second.matches(first) != none
