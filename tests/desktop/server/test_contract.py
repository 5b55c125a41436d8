"""The contract tests of the HTTP API, run against the window's server."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PyQt5.QtWidgets import QApplication

from desktop.app import build
from desktop.state.server import Phase
from desktop.window.main_window import MainWindow
from tests.engine.api import test_clients, test_contract, test_errors
from tests.engine.api.conftest import Service, canary, new_site, reply, resolver, site

__all__ = ["canary", "new_site", "reply", "resolver", "site"]

for module in (test_clients, test_contract, test_errors):
    for name, function in inspect.getmembers(module, inspect.isfunction):
        fixtures = inspect.signature(function).parameters
        if name.startswith("test_") and "service" in fixtures and "serve" not in fixtures:
            globals()[name] = function


class WindowService:
    """The window's server, asked in the words of those tests."""

    def __init__(self, window: MainWindow) -> None:
        self.engine = window.viewer.engine
        self.url = window.server_control.state.address
        self.http = httpx.Client(base_url=self.url, timeout=30)

    detect = Service.detect


@pytest.fixture(scope="module")
def window_service(
    qapp: QApplication, tiny_detr: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WindowService]:
    home = tmp_path_factory.mktemp("home")
    models = [f"tiny={tiny_detr}", f"小 模型={tiny_detr}"]
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(f"models = {json.dumps(models, ensure_ascii=False)}\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DETRDESK_HOME", str(home))
        window = build([])
    window.server_control.set_port(0)
    window.server_control.switch(True)
    until = time.monotonic() + 20
    while window.server_control.state.phase != Phase.ON:
        assert time.monotonic() < until, window.server_control.state
        qapp.processEvents()
    service = WindowService(window)
    service.engine.load("tiny")
    yield service
    service.http.close()
    window.close()
    window.deleteLater()


@pytest.fixture
def service(window_service: WindowService) -> WindowService:
    return window_service


def test_the_tests_were_found() -> None:
    assert sum(name.startswith("test_") for name in globals()) > 30
