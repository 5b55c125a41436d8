"""Which boxes a click or a key picks, of those that lie under the pointer."""

from __future__ import annotations

from collections.abc import Sequence


def clicked(selected: frozenset[int], stack: Sequence[int]) -> frozenset[int]:
    """A click: the smallest box alone, or nothing on the empty background.

    Args:
        selected: What is selected now.
        stack: Indices of the boxes under the pointer, smallest first.
    """
    return frozenset(stack[:1])


def toggled(selected: frozenset[int], stack: Sequence[int]) -> frozenset[int]:
    """A click with Ctrl: the smallest box joins the others or leaves them."""
    return selected ^ frozenset(stack[:1])


def next_of(selected: frozenset[int], stack: Sequence[int]) -> frozenset[int]:
    """The box behind the selected one, the first again after the last; what is selected where there is none."""
    if not stack:
        return selected
    here = [place for place, index in enumerate(stack) if index in selected]
    return frozenset([stack[(here[-1] + 1) % len(stack)] if here else stack[0]])
