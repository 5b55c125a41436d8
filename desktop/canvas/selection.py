"""Which of the boxes under the pointer a click or a key selects."""

from __future__ import annotations

from collections.abc import Sequence


def clicked(selected: frozenset[int], stack: Sequence[int]) -> frozenset[int]:
    """Return the selection after a click: the smallest box, or nothing on the background.

    Args:
        selected: What is selected now.
        stack: Indices of the boxes under the pointer, smallest first.
    """
    return frozenset(stack[:1])


def toggled(selected: frozenset[int], stack: Sequence[int]) -> frozenset[int]:
    """Return the selection after a click with Ctrl: the smallest box is added or removed."""
    return selected ^ frozenset(stack[:1])


def next_of(selected: frozenset[int], stack: Sequence[int]) -> frozenset[int]:
    """Return the selection of the box behind the selected one, cyclically; unchanged where there is none."""
    if not stack:
        return selected
    here = [place for place, index in enumerate(stack) if index in selected]
    return frozenset([stack[(here[-1] + 1) % len(stack)] if here else stack[0]])
