"""Searching the hub, the models that are known without it, and which hub is asked."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest

from engine.detect.families import FAMILIES
from engine.errors import CancelledError, EngineError
from engine.models.hub.control import Control
from engine.models.hub.endpoint import OFFICIAL, Endpoint, endpoint_of
from engine.models.hub.known import known_models
from engine.models.hub.patience import Patience
from engine.models.hub.search import HubModel, search
from engine.settings import load_settings
from tests.hub_server import HubServer, Repo, answers, bottles, stall, status

QUICK = Patience(connect=1.0, answer=1.0, attempts=1, first=0.01, asked=1.0)


def test_a_search_finds_detectors_by_name_the_most_used_first(hub: HubServer, endpoint: Endpoint) -> None:
    hub.repos["acme/caps"] = bottles(card={"downloads": 900})
    hub.repos["acme/Bottle-big"] = bottles(gated=True, card={"downloads": 40})
    hub.repos["acme/bottle-names"] = bottles(card={"pipeline_tag": "text-generation"})
    found = search("bottle", endpoint)
    assert [model.id for model in found] == ["acme/Bottle-big", "acme/bottles"]
    assert found[1] == HubModel(
        id="acme/bottles",
        downloads=12,
        likes=3,
        licence="apache-2.0",
        modified=datetime(2026, 3, 5, 10, tzinfo=UTC),
        library="transformers",
        gated=False,
        private=False,
        family="detr",
        safetensors=True,
    )
    assert found[0].gated
    assert search("", endpoint)[0].id == "acme/caps"
    assert len(search("", endpoint, limit=1)) == 1
    (query,) = {tuple(asked.query["pipeline_tag"]) for asked in hub.asked}
    assert query == ("object-detection",)


@pytest.mark.parametrize(
    ("repo", "usable"),
    [
        (bottles(), True),
        (bottles(files={"config.json": b'{"model_type": "d_fine"}'}), True),
        (bottles(files={"config.json": b'{"model_type": "deimv2"}'}), False),
        (Repo({"config.json": b'{"model_type": "detr"}', "pytorch_model.bin": b""}), False),
        (bottles(card={"config": None, "tags": ["yolos", "safetensors"]}), True),
        (bottles(card={"config": None, "tags": ["safetensors"]}), False),
    ],
)
def test_what_can_be_used_is_marked(hub: HubServer, endpoint: Endpoint, repo: Repo, usable: bool) -> None:
    hub.repos = {"acme/one": repo}
    assert search("one", endpoint)[0].usable is usable


def test_a_hub_that_says_little_is_understood(hub: HubServer, endpoint: Endpoint) -> None:
    hub.fault("/api/models", answers(b'[{"id": "a/b", "tags": ["license:mit"]}]'))
    assert search("b", endpoint) == [HubModel("a/b", 0, 0, "mit", None, "", False, False, "", False)]


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'[{"name": 1}]', b"[1]", b'{"error": "no"}'])
def test_something_else_than_a_hub_is_said(hub: HubServer, endpoint: Endpoint, body: bytes) -> None:
    hub.fault("/api/models", answers(body))
    with pytest.raises(EngineError) as caught:
        search("x", endpoint, patience=QUICK)
    assert caught.value.code == "hub_answer"


@pytest.mark.alone
def test_without_a_hub_it_is_said_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(EngineError) as caught:
        search("x", Endpoint("http://127.0.0.1:9", trusted=False))
    assert caught.value.code == "hub_unreachable"
    assert "127.0.0.1:9" in caught.value.message
    assert time.monotonic() - started < 2


@pytest.mark.alone
def test_a_silent_hub_is_waited_for_no_longer_than_said(hub: HubServer, endpoint: Endpoint) -> None:
    hub.fault("/api/models", stall())
    started = time.monotonic()
    with pytest.raises(EngineError) as caught:
        search("x", endpoint, patience=QUICK)
    assert caught.value.code == "hub_timeout"
    assert time.monotonic() - started < 2


@pytest.mark.alone
def test_a_search_can_be_cancelled(hub: HubServer, endpoint: Endpoint) -> None:
    hub.fault("/api/models", stall())
    control = Control()
    threading.Timer(0.2, control.cancel).start()
    started = time.monotonic()
    with pytest.raises(CancelledError):
        search("x", endpoint, control=control, patience=Patience())
    assert time.monotonic() - started < 1


def test_a_busy_hub_is_asked_again(hub: HubServer, endpoint: Endpoint) -> None:
    hub.fault("/api/models", status(429, Retry_After="1"))
    assert search("bottles", endpoint, patience=QUICK)
    hub.fault("/api/models", status(429, Retry_After="30"))
    with pytest.raises(EngineError, match="30 s"):
        search("bottles", endpoint, patience=QUICK)


def test_the_known_models_are_of_families_that_can_be_used() -> None:
    known = known_models()
    assert len({model.id for model in known}) == len(known) > 20
    assert {model.family for model in known} == set(FAMILIES)
    for model in known:
        assert model.ap is None or 25 < model.ap < 60
        assert 10 < model.megabytes < 400
        assert model.licence in {"apache-2.0", "mit"}
        assert model.about.endswith(".")
        assert model.about_zh.endswith("。")
        assert model.id.count("/") == 1


@pytest.mark.parametrize(
    ("setting", "variable", "url", "trusted"),
    [
        ("", "", OFFICIAL, True),
        ("", "https://mirror.example/", "https://mirror.example", True),
        ("https://mirror.example/", "", "https://mirror.example", False),
        ("https://mirror.example", "https://other.example", "https://mirror.example", False),
        ("https://mirror.example", "https://mirror.example/", "https://mirror.example", True),
        ("https://huggingface.co/", "https://other.example", OFFICIAL, True),
        ("http://huggingface.co", "", "http://huggingface.co", False),
        (" http://10.0.0.7:8080/hub ", "", "http://10.0.0.7:8080/hub", False),
    ],
)
def test_the_setting_goes_before_the_variable_and_a_mirror_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, setting: str, variable: str, url: str, trusted: bool
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", variable)
    assert endpoint_of(setting) == Endpoint(url, trusted)


@pytest.mark.parametrize(
    "setting",
    [
        "mirror.example",
        "ftp://a.example",
        "https://",
        "https://me:word@a.example",
        "https://a.example?x",
        "https://a b",
    ],
)
def test_an_address_that_makes_no_sense_is_said(setting: str) -> None:
    with pytest.raises(EngineError) as caught:
        endpoint_of(setting)
    assert caught.value.code == "hub_endpoint"
    assert "word" not in caught.value.message


def test_the_endpoint_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().hub_endpoint == ""
    monkeypatch.setenv("DETRDESK_HUB_ENDPOINT", "https://mirror.example")
    assert endpoint_of(load_settings().hub_endpoint).name == "mirror.example"


def test_importing_it_leaves_the_library_alone() -> None:
    code = (
        "import sys, engine.models.hub.download, engine.models.hub.search, engine.models.hub.known;"
        "print({'huggingface_hub', 'httpx2', 'transformers', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
