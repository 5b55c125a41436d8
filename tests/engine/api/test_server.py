"""Starting and stopping, and where it listens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from engine.api.app import create_app
from engine.api.served import ServedModels
from engine.api.server import Server
from engine.engine import Engine
from engine.errors import EngineError
from engine.settings import Settings


@pytest.fixture
def app(tiny_detr: Path) -> object:
    return create_app(Engine(Settings(models=(str(tiny_detr),))))


@pytest.mark.alone
def test_port_zero_picks_a_free_one_and_it_answers_once_started(app: object) -> None:
    server = Server(app, port=0)  # type: ignore[arg-type]
    started = time.monotonic()
    server.start()
    assert httpx.get(server.url + "/health").status_code == 200
    assert time.monotonic() - started < 1
    assert server.stop()
    assert not server.running
    assert server.stop()


def test_a_taken_port_is_told_before_anything_starts(app: object) -> None:
    """FAULTS 29."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=f"Port {port} is in use") as caught:
            Server(app, port=port)  # type: ignore[arg-type]
    assert caught.value.code == "port_taken"


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid", "::ffff:zz"])
def test_an_address_that_is_not_ours_is_told(app: object, host: str) -> None:
    with pytest.raises(EngineError) as caught:
        Server(app, host, 0)  # type: ignore[arg-type]
    assert caught.value.code == "address_refused"
    assert host in caught.value.message


def test_the_url_is_one_that_can_be_opened(app: object) -> None:
    server = Server(app, "0.0.0.0", 0)  # type: ignore[arg-type]
    assert server.url == f"http://127.0.0.1:{server.port}"
    server.stop()
    server = Server(app, "::1", 0)  # type: ignore[arg-type]
    assert server.url == f"http://[::1]:{server.port}"
    server.stop()


def test_twenty_fast_switches(tiny_detr: Path) -> None:
    engine = Engine(Settings(models=(str(tiny_detr),)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for at in range(20):
        server = Server(create_app(engine), port=port)
        server.start()
        if at % 5 == 0:
            assert httpx.get(server.url + "/models").status_code == 200
        assert server.stop()


def test_the_factory_makes_its_own_engine_and_closes_it(tiny_detr: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETRDESK_MODELS", f"eins={tiny_detr}, zwei={tiny_detr}")
    closed = []
    monkeypatch.setattr(Engine, "close", lambda self: closed.append(self))
    app = create_app()
    server = Server(app, port=0)
    server.start()
    assert httpx.get(server.url + "/models").json() == {"loaded_models": ["eins", "zwei"]}
    server.stop()
    assert closed == [app.state.service.engine]


def _raise() -> None:
    raise RuntimeError("the loop is broken")


@pytest.mark.parametrize("way", ["an exception", "a stopped loop"])
def test_a_server_that_ends_by_itself_says_so_and_leaves_nothing(
    tiny_detr: Path, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    before, died = set(threading.enumerate()), threading.Event()
    engine = Engine(Settings(models=(f"tiny={tiny_detr}",)))
    app = create_app(engine, listener=lambda record: None)
    loops: list[asyncio.AbstractEventLoop] = []

    @app.get("/break")
    async def break_it() -> None:
        loop = asyncio.get_running_loop()
        loops.append(loop)
        if way == "a stopped loop":
            loop.stop()
        else:
            server._uvicorn.on_tick = lambda _: _raise()  # type: ignore[method-assign,assignment,return-value]

    server = Server(app, port=0, died=died.set)
    server.start()
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(server.url + "/break", timeout=5)
    assert died.wait(5)
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, timeout=5)
    assert server.stop()
    assert loops[0].is_closed()
    assert not [each.name for each in set(threading.enumerate()) - before if each.name.startswith(("api", "server"))]
    assert "The server ended by itself." in caplog.text
    engine.close()


def test_a_server_that_is_stopped_did_not_end_by_itself(tiny_detr: Path) -> None:
    died = threading.Event()
    engine = Engine(Settings(models=(f"tiny={tiny_detr}",)))
    server = Server(create_app(engine, listener=lambda record: None), port=0, died=died.set)
    server.start()
    assert server.stop()
    assert not died.is_set()
    engine.close()


def test_a_name_is_the_same_however_its_accents_are_written(tiny_detr: Path) -> None:
    with contextlib.closing(Engine(Settings())) as engine:
        served = ServedModels(engine, [f"cafe\u0301={tiny_detr}"], lambda: "starter")
        assert served.resolve("caf\u00e9") == served.default == "caf\u00e9"
        assert served.created("caf\u00e9") > 0
