"""`detrdesk serve`: the HTTP API without a window."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from pydantic import SecretStr

from engine.api.app import create_app
from engine.api.server import Server
from engine.cli.exit_codes import DONE, SOME_FAILED, USAGE
from engine.engine import Engine
from engine.errors import EngineError
from engine.settings import Settings, load_settings

_CLOSE_SECONDS = 0.3
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_serve(given: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code."""
    asked_to_stop = threading.Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: asked_to_stop.set())
    with _logging_to_stderr():
        return _serve(given, asked_to_stop)


def _serve(given: argparse.Namespace, asked_to_stop: threading.Event) -> int:
    try:
        settings = _settings(given)
        _check_address(settings)
        engine = Engine(settings)
        app = create_app(engine)
        served = app.state.service.models
        served.recipe(served.default)
        server = Server(app, settings.host, settings.port)
        if settings.wait_for_fast:
            _convert_all(engine, served.names, asked_to_stop)
            if asked_to_stop.is_set():
                _leave(server, engine)
                return DONE
        server.start()
    except EngineError as error:
        print(f"detrdesk: {error.message}", file=sys.stderr)
        return USAGE
    print(f"detrdesk serves {', '.join(served.names)} at {server.url} (documentation: {server.url}/docs)", flush=True)
    threading.Thread(target=_warm_up, args=(engine, served.default), name="warm-up", daemon=True).start()
    while server.running and not asked_to_stop.wait(0.5):
        pass
    died = not server.running
    _leave(server, engine)
    return SOME_FAILED if died else DONE


def _settings(given: argparse.Namespace) -> Settings:
    """The user's settings, with the options in their place."""
    asked = {name: value for name, value in vars(given).items() if name in Settings.model_fields and value is not None}
    settings = load_settings().model_copy(update=asked)
    if settings.api_key_file is None:
        return settings
    return settings.model_copy(update={"api_key": _key_in(settings.api_key_file)})


def _key_in(file: Path) -> SecretStr:
    try:
        key = file.expanduser().read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        message = "The key file {path} cannot be read; give a text file with the key in it."
        raise EngineError("key_unreadable", message, path=file) from error
    if not key:
        raise EngineError("key_empty", "The key file {path} is empty; write the key into it.", path=file)
    return SecretStr(key)


def _check_address(settings: Settings) -> None:
    """Let only this machine ask without a key.

    Raises:
        EngineError: `key_needed`.
    """
    if settings.api_key is not None or _is_loopback(settings.host):
        return
    if not settings.no_key:
        message = "Listening on {host} lets others ask: set a key with --api-key-file, or say --no-key."
        raise EngineError("key_needed", message, host=settings.host)
    print(f"detrdesk: warning: whoever reaches {settings.host} may ask, for there is no key.", file=sys.stderr)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _logging_to_stderr() -> Iterator[None]:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("detrdesk")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _convert_all(engine: Engine, models: Sequence[str], asked_to_stop: threading.Event) -> None:
    """Convert the models for this processor, then load the first; one that cannot be converted is served by torch."""
    logger = logging.getLogger("detrdesk.server")
    for name in models:
        if asked_to_stop.is_set():
            return
        logger.info("Preparing the model %s for this processor.", name)
        try:
            state = engine.convert(name, cancelled=asked_to_stop.is_set)
        except EngineError as error:
            logger.warning("%s", error.message)
            continue
        if state.problem is not None:
            logger.warning("The model %s is served by %s. %s", name, state.runtime, state.problem.message)
    if not asked_to_stop.is_set():
        _warm_up(engine, models[0])


def _warm_up(engine: Engine, model: str) -> None:
    """Load the model before the first request asks for it; what is wrong with it, that request will be told."""
    try:
        engine.load(model)
    except EngineError as error:
        logging.getLogger("detrdesk.server").warning("%s", error.message)


def _leave(server: Server, engine: Engine) -> None:
    """Finish what clients wait for; what still runs then, runs for nobody and is left behind with the process."""
    server.stop()
    closing = threading.Thread(target=engine.close, name="closing", daemon=True)
    closing.start()
    closing.join(_CLOSE_SECONDS)
    if closing.is_alive():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(DONE)
