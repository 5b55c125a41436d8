"""StateHolder: derivations, and the order of states."""

from __future__ import annotations

from dataclasses import replace

from desktop.state.holder import StateHolder
from desktop.state.viewer import ViewerState, choose_threshold, waiting
from engine.errors import EngineError


def test_every_state_is_derived_in_order() -> None:
    told: list[ViewerState] = []
    holder = StateHolder(ViewerState(), told.append, str)
    holder.derive(lambda state: replace(state, session_tokens=state.session_tokens + 1))
    holder.derive(lambda state: replace(state, session_tokens=state.session_tokens * 10))
    holder.set(choose_threshold(holder.state, 0.3))
    assert (holder.state.session_tokens, holder.state.chosen.threshold) == (10, 0.3)
    holder.refresh()
    assert holder.state.session_tokens == 110
    assert told[-1] is holder.state


def test_a_state_that_is_set_while_one_is_told_is_told_after_it() -> None:
    told: list[str] = []

    def changed(state: ViewerState) -> None:
        told.append(state.model)
        if state.model == "one":
            holder.set(replace(state, model="two"))
            told.append("the rest of one")

    holder = StateHolder(ViewerState(), changed, str)
    holder.set(replace(holder.state, model="one"))
    assert told == ["one", "the rest of one", "two"]


def test_messages_are_part_of_the_state() -> None:
    holder = StateHolder(ViewerState(), lambda state: None, lambda error: f"translated {error.code}")
    holder.tell_error(EngineError("bug", "Something."))
    assert holder.state.message is not None
    assert (holder.state.message.text, holder.state.message.is_error) == ("translated bug", True)
    holder.tell("done")
    holder.set(waiting(holder.state, None))
    assert holder.state.message is not None
    assert (holder.state.message.text, holder.state.message.is_error) == ("done", False)
