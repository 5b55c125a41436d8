"""The state of the window's server, one frozen value, and its transitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

THIS_COMPUTER, EVERYONE = "127.0.0.1", "0.0.0.0"
MOST_ROWS = 500


class Phase(Enum):
    """Whether the server is off, on or between."""

    OFF = "off"
    STARTING = "starting"
    ON = "on"
    STOPPING = "stopping"


class KeyPlace(Enum):
    """Where the API key is kept."""

    SETTINGS = "settings"
    KEYRING = "keyring"
    SESSION = "session"


@dataclass(frozen=True)
class Key:
    """The API key that clients must send.

    Attributes:
        text: The key itself.
        place: Where it is kept.
        is_new: Whether it was made just now, so that the user has not seen it yet.
    """

    text: str = field(repr=False)
    place: KeyPlace = KeyPlace.SESSION
    is_new: bool = False


@dataclass(frozen=True)
class AnsweredRequest:
    """A row of the table of requests.

    Attributes:
        started: Seconds since the epoch.
        client: The address that asked.
        method, path: What was asked for.
        images, tokens: How many images and tokens the model processed.
        ms: Milliseconds until the answer was sent.
        status: The answer's; 499 where the client went away first.
    """

    started: float
    client: str
    method: str
    path: str
    images: int
    tokens: int
    ms: float
    status: int


@dataclass(frozen=True)
class Totals:
    """Sums since the window opened; `failed` counts answers of 400 and above."""

    requests: int = 0
    images: int = 0
    tokens: int = 0
    failed: int = 0

    def __add__(self, answered: Sequence[AnsweredRequest]) -> Totals:
        """Return these sums with more requests."""
        return Totals(
            self.requests + len(answered),
            self.images + sum(each.images for each in answered),
            self.tokens + sum(each.tokens for each in answered),
            self.failed + sum(each.status >= 400 for each in answered),
        )


@dataclass(frozen=True)
class ServerState:
    """What the server's tab and the status bar show.

    Attributes:
        phase: Whether it answers.
        hosts: The addresses that can be chosen.
        host: The one to listen on.
        port: The one to listen on; 0 is a free one.
        key: The API key; `None` where none is needed or it was not read yet.
        address: The base URL, e.g. `http://192.168.1.5:8080`; empty while off.
        real_port: The port in use; 0 while off.
        key_needed: Whether other machines need a key.
        problem: Why it did not start, in the window's language.
        answered: The last requests, newest first.
        totals: Sums over all requests.
        inbox_open: Whether client images are added to the window's list.
    """

    phase: Phase = Phase.OFF
    hosts: tuple[str, ...] = (THIS_COMPUTER, EVERYONE)
    host: str = THIS_COMPUTER
    port: int = 8080
    key: Key | None = None
    address: str = ""
    real_port: int = 0
    key_needed: bool = True
    problem: str = ""
    answered: tuple[AnsweredRequest, ...] = ()
    totals: Totals = Totals()
    inbox_open: bool = False

    @property
    def wanted(self) -> bool:
        """Whether the switch is on."""
        return self.phase in (Phase.STARTING, Phase.ON)

    @property
    def for_everyone(self) -> bool:
        """Whether other machines can connect."""
        return self.host != THIS_COMPUTER


def configured(host: str, port: int, key_needed: bool = True) -> ServerState:
    """Return the state of a server that is off, with the address of the user's settings."""
    known = (THIS_COMPUTER, EVERYONE)
    chosen = THIS_COMPUTER if host in ("localhost", "::1") else host
    hosts = known if chosen in known else (*known, chosen)
    return ServerState(hosts=hosts, host=chosen, port=port, key_needed=key_needed)


def host_chosen(state: ServerState, host: str) -> ServerState:
    """Set the address to listen on."""
    return replace(state, host=host, problem="")


def port_chosen(state: ServerState, port: int) -> ServerState:
    """Set the port to listen on."""
    return replace(state, port=port, problem="")


def key_found(state: ServerState, key: Key | None) -> ServerState:
    """Set the API key."""
    return replace(state, key=key)


def key_seen(state: ServerState) -> ServerState:
    """Record that the user has seen the key."""
    return state if state.key is None else replace(state, key=replace(state.key, is_new=False))


def starting(state: ServerState) -> ServerState:
    """Record that the server was switched on."""
    return replace(state, phase=Phase.STARTING, address="", real_port=0, problem="")


def started(state: ServerState, address: str, port: int) -> ServerState:
    """Record that the server answers."""
    return replace(state, phase=Phase.ON, address=address, real_port=port, problem="")


def stopping(state: ServerState) -> ServerState:
    """Record that the server was switched off and finishes its requests."""
    return replace(state, phase=Phase.STOPPING, address="", real_port=0, problem="")


def stopped(state: ServerState, problem: str = "") -> ServerState:
    """Record that the server is off, and why where that was not asked for."""
    return replace(state, phase=Phase.OFF, address="", real_port=0, problem=problem)


def answered(state: ServerState, more: Sequence[AnsweredRequest]) -> ServerState:
    """Add requests that were answered, given oldest first."""
    rows = (*reversed(more), *state.answered)[:MOST_ROWS]
    return replace(state, answered=rows, totals=state.totals + more)


def inbox_switched(state: ServerState, is_open: bool) -> ServerState:
    """Set whether client images are added to the window's list."""
    return replace(state, inbox_open=is_open)
