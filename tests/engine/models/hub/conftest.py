"""A hub on loopback, and a guard that lets nothing else be asked."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.models.hub.control import Control
from engine.models.hub.download import download
from engine.models.hub.endpoint import Endpoint
from engine.models.hub.folders import ModelFolders
from engine.models.hub.patience import Patience
from tests.hub_server import HubServer, Told, bottles, hub_server

QUICK = Patience(connect=1.0, answer=2.0, silence=0.3, attempts=3, first=0.01, longest=0.05, asked=2.0)


@pytest.fixture(autouse=True)
def loopback_alone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every attempt to reach anything but this machine fails the test; also when the code swallows the failure."""
    strangers: list[str] = []
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
            strangers.append(str(address))
            raise OSError("no network in tests")
        connect(self, address)

    def guarded_resolve(host: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in ("127.0.0.1", "localhost"):
            strangers.append(str(host))
            raise socket.gaierror(socket.EAI_NONAME, "no network in tests")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_resolve)
    return strangers


@pytest.fixture(autouse=True)
def no_strangers(loopback_alone: list[str]) -> Iterator[None]:
    """Looks at the guard's list after the test; a test that means to ask a stranger empties it."""
    yield
    assert loopback_alone == []


@pytest.fixture(autouse=True)
def nobody_signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No token and no settings of the machine's user; returns where `hf auth login` would write."""
    from huggingface_hub import close_session, constants

    names = (
        "HF_TOKEN HUGGING_FACE_HUB_TOKEN HF_ENDPOINT HF_HUB_OFFLINE HF_OIDC_RESOURCE HTTP_PROXY HTTPS_PROXY ALL_PROXY"
    )
    for name in names.split():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    login = tmp_path_factory.mktemp("login") / "token"
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(login))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(login.with_name("stored_tokens")))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    close_session()
    return login


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """A hub with one model of random bytes, `acme/bottles`."""
    with hub_server() as server:
        server.repos["acme/bottles"] = bottles()
        yield server


@pytest.fixture
def endpoint(hub: HubServer) -> Endpoint:
    """The hub as a mirror, which gets no token."""
    return Endpoint(hub.url, trusted=False)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The folder of downloaded models."""
    return tmp_path / "models"


@pytest.fixture
def told() -> Told:
    """Listens to a download."""
    return Told()


@pytest.fixture
def bring(endpoint: Endpoint, models: Path, told: Told) -> Callable[..., Path]:
    """`bring(model="acme/bottles", ...)` downloads from the hub into `models`, without much patience."""

    def run(model: str = "acme/bottles", **more: Any) -> Path:
        more = {"endpoint": endpoint, "progress": told, "patience": QUICK, "folders": ModelFolders(models)} | more
        return download(model, **more)

    return run


@pytest.fixture
def control() -> Control:
    """Of a download."""
    return Control()
