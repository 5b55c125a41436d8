"""Assigning keys to actions: the default ones, and those that the user chose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence

from desktop.style.actions import ActionSpec

Keys = tuple[str, ...]
ChosenKeys = Mapping[str, Keys]
"""Keys in place of the default ones, by the action's name; an empty tuple leaves the action without a key."""

_STRONG = int(Qt.KeyboardModifier.ControlModifier) | int(Qt.KeyboardModifier.AltModifier)
_MODIFIERS = int(Qt.KeyboardModifier.KeyboardModifierMask)


def remapped(specs: Sequence[ActionSpec], chosen: ChosenKeys) -> tuple[ActionSpec, ...]:
    """Return the actions with the chosen keys, which take precedence over defaults.

    A key that text fields need acts only while the image, the list or the table has the focus.
    """
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
    """Return another action than `beside` that has this key, or a sequence that begins with it."""
    return next((spec for spec in specs if spec.name != beside and any(_clash(key, each) for each in spec.keys)), None)


def given(specs: Sequence[ActionSpec], chosen: ChosenKeys, name: str, keys: Keys) -> dict[str, Keys]:
    """Return the chosen keys after an action gets `keys`, which others lose; defaults are not stored as chosen.

    Args:
        specs: Every action with its default keys.
        chosen: The keys chosen so far; names of unknown actions stay.
        name: The action's name.
        keys: All of its new keys.
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
    """Return the chosen keys after an action gets its default ones back, which others lose."""
    return given(specs, chosen, name, next(spec.keys for spec in specs if spec.name == name))


def acts_on_image_only(key: str) -> bool:
    """Return whether text fields or buttons need this key: one without Ctrl and Alt that is no function key."""
    first = QKeySequence(key)[0]
    plain = first & ~_MODIFIERS
    is_function_key = int(Qt.Key.Key_F1) <= plain <= int(Qt.Key.Key_F35)
    return not first & _STRONG and not is_function_key


def shown(keys: Iterable[str]) -> str:
    """Return the keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return "   ".join(dict.fromkeys(QKeySequence(key).toString(native) for key in keys))


def _is_key(key: str) -> bool:
    sequence = QKeySequence(key)
    return not sequence.isEmpty() and sequence[0] & ~_MODIFIERS != int(Qt.Key.Key_unknown)


def _clash(one: str, other: str) -> bool:
    """Return whether the keys are ambiguous to Qt."""
    none = QKeySequence.SequenceMatch.NoMatch
    first, second = QKeySequence(one), QKeySequence(other)
    return first.matches(second) != none or second.matches(first) != none
